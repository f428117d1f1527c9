//! The storage engine: ordered bytes to bytes in few tables, durable when `Engine::commit` returns.
//!
//! This file alone knows sled, used in the one way that kept its promises when power was cut: its `flush()` does not fsync, so
//! every commit syncs sled's log file itself; batches stay small; values stay under the size at which sled writes a
//! separate file; opening is guarded against panics, and a store that does not open is set aside, never deleted.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// sled's own page cache. Small: the agent appends and reads the newest end; history is read rarely and in order.
const CACHE_BYTES: u64 = 2 * 1024 * 1024;
/// Size of a log segment. Smaller than sled's default (512 KiB), since each open segment is held in memory several times.
const SEGMENT_BYTES: usize = 256 * 1024;
/// How long an earlier handle of the same process may take to let go of the store, and how often that is looked at.
const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// The tables of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Blocks of readings by the sequence number of their first reading.
    Blocks,
    /// Single values: epoch, watermarks.
    Marks,
    /// Channel records by id.
    Channels,
    /// Batch events by number.
    Events,
    /// Primary-data documents by batch and revision.
    Documents,
}

impl Table {
    const ALL: [Self; 5] = [Self::Blocks, Self::Marks, Self::Channels, Self::Events, Self::Documents];

    const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Marks => "marks",
            Self::Channels => "channels",
            Self::Events => "events",
            Self::Documents => "documents",
        }
    }
}

/// Why the engine could not do what was asked.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The store cannot be opened; it has been left where it is.
    #[error("the store at {} cannot be opened: {why}", path.display())]
    Open {
        /// Where it lies.
        path: PathBuf,
        /// What the engine said.
        why: String,
    },
    /// The system does not let the store be opened now: disk full, no right, too many files, still held by an earlier handle.
    /// Nothing speaks against the store itself.
    #[error("the store at {} cannot be opened now: {why}; it is left as it is", path.display())]
    Unavailable {
        /// Where it lies.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Reading or writing failed: disk full, read-only file system, hardware.
    #[error("the store failed: {0}")]
    Sled(#[from] sled::Error),
    /// The log file could not be synced.
    #[error("the store could not be synced to disk: {0}")]
    Sync(#[from] std::io::Error),
}

/// One open store.
#[derive(Debug)]
pub(super) struct Engine {
    db: sled::Db,
    trees: Vec<sled::Tree>,
    log: File,
}

impl Engine {
    /// Opens the store in `folder`, or makes it.
    pub(super) fn open(folder: &Path) -> Result<Self, EngineError> {
        catch_unwind(AssertUnwindSafe(|| Self::open_unguarded(folder))).unwrap_or_else(|_| {
            Err(EngineError::Open { path: folder.to_owned(), why: "the storage engine panicked".to_owned() })
        })
    }

    fn open_unguarded(folder: &Path) -> Result<Self, EngineError> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(Some(500));
        let refused =
            |why: &dyn std::fmt::Display| EngineError::Open { path: folder.to_owned(), why: why.to_string() };
        let db = open_when_free(&config).map_err(|why| match why {
            sled::Error::Io(why) if is_passing(&why) => {
                EngineError::Unavailable { path: folder.to_owned(), why }
            }
            why => refused(&why),
        })?;
        let trees: Result<Vec<_>, _> = Table::ALL.iter().map(|table| db.open_tree(table.name())).collect();
        let trees = trees.map_err(|why| refused(&why))?;
        let log = File::open(folder.join("db")).map_err(|why| refused(&why))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|why| refused(&why))?;
        Ok(Self { db, trees, log })
    }

    fn tree(&self, table: Table) -> &sled::Tree {
        &self.trees[table as usize]
    }

    /// Writes the pairs, all of one table, and returns when they would survive a power cut.
    pub(super) fn commit(&self, table: Table, pairs: &[(Vec<u8>, Vec<u8>)]) -> Result<(), EngineError> {
        let mut batch = sled::Batch::default();
        for (key, value) in pairs {
            batch.insert(key.as_slice(), value.as_slice());
        }
        self.tree(table).apply_batch(batch)?;
        self.db.flush()?;
        Ok(self.log.sync_data()?)
    }

    /// Writes one pair that becomes durable with the next [`Engine::commit`], or within half a second.
    pub(super) fn put_lazily(&self, table: Table, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        self.tree(table).insert(key, value)?;
        Ok(())
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.tree(table).get(key)?.map(|value| value.to_vec()))
    }

    /// The pair with the greatest key that is at most `key`.
    pub(super) fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, EngineError> {
        Ok(self.tree(table).range(..=key).next_back().transpose()?.map(to_pair))
    }

    /// All pairs from `key` on, in order of keys.
    pub(super) fn from(
        &self,
        table: Table,
        key: &[u8],
    ) -> impl Iterator<Item = Result<Pair, EngineError>> + use<> {
        self.tree(table).range(key.to_vec()..).map(|pair| Ok(to_pair(pair?)))
    }

    /// All pairs before `key`, last first.
    pub(super) fn backwards(
        &self,
        table: Table,
        key: &[u8],
    ) -> impl Iterator<Item = Result<Pair, EngineError>> + use<> {
        self.tree(table).range(..key.to_vec()).rev().map(|pair| Ok(to_pair(pair?)))
    }

    /// Bytes that the store takes on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }
}

/// Of one process, sled's lock outlives its last handle by moments: until its own threads have let go.
fn open_when_free(config: &sled::Config) -> sled::Result<sled::Db> {
    let patience = LONGEST_LOCK_WAIT.as_millis() / LOCK_RETRY.as_millis();
    for _ in 0..patience {
        match config.open() {
            Err(sled::Error::Io(why)) if is_locked(&why) => std::thread::sleep(LOCK_RETRY),
            opened => return opened,
        }
    }
    config.open()
}

/// sled tells a lock that is taken by its text alone.
fn is_locked(why: &std::io::Error) -> bool {
    why.to_string().contains("could not acquire lock")
}

/// Whether the fault lies with the system and not in the store.
fn is_passing(why: &std::io::Error) -> bool {
    use std::io::ErrorKind::{OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kinds = [OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
    let (too_many_in_system, too_many_in_process) = (23, 24);
    let too_many_files = [Some(too_many_in_system), Some(too_many_in_process)].contains(&why.raw_os_error());
    is_locked(why) || too_many_files || kinds.contains(&why.kind())
}

/// A key and its value.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

fn to_pair((key, value): (sled::IVec, sled::IVec)) -> Pair {
    (key.to_vec(), value.to_vec())
}
