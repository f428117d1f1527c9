//! The durable buffer: what has been stored here survives `kill -9` and power cuts, and keeps its number for ever.
//!
//! Every reading gets the identity `(gateway, epoch, sequence)`. The epoch grows with every start of the agent and starts from
//! the clock, so that it is greater than before even when an older copy of the store is put back; within one store the sequence
//! grows by one with each reading. Whoever wants readings pulls them from here by sequence, so no queue behind the buffer can
//! lose any. The one task that writes is `run`.

pub mod block;
mod engine;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;

use self::block::{Block, DamagedBlock, MAX_READINGS};
pub use self::engine::EngineError;
use self::engine::{Engine, Pair, Table};
use crate::clock::Clock;
use crate::reading::{ChannelId, ChannelRecord, Reading};

/// The longest that a reading waits for others before both are made durable. One sync costs a disk a few milliseconds of wear and
/// the agent a millisecond of CPU; half a second is what a power cut may take of readings that nobody was told of.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(500);

/// Replies that wait for the writer: a second of 500 exchanges. When it is full the links wait, polls come late and are
/// counted as late; nothing that was read is dropped.
pub const QUEUE_REPLIES: usize = 512;

/// The engine's files within the buffer's folder.
const ENGINE_FOLDER: &str = "sled";

/// The longest value that is given to the engine. Above it sled makes a file for each page of the tree, which it never syncs:
/// what it holds would not survive a power cut.
const MAX_VALUE_BYTES: usize = 7_000;

const MARK_EPOCH: &[u8] = b"epoch";
const MARK_NEXT: &[u8] = b"next";
const MARK_ACKNOWLEDGED: &[u8] = b"acknowledged";
const MARK_DOCUMENTS: &[u8] = b"documents";

/// Why the buffer could not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A block was changed after it was written. The others are readable.
    #[error("readings from sequence {first_sequence} on are lost: {why}")]
    Damaged {
        /// Sequence number of the first lost reading.
        first_sequence: u64,
        /// What is wrong with them.
        why: DamagedBlock,
    },
    /// Another agent has the store open. Two writers would destroy it.
    #[error("the buffer {} is in use by another weighbridge; stop that one, or give this one its own `[buffer] path`", folder.display())]
    InUse {
        /// The buffer's folder.
        folder: PathBuf,
    },
    /// The folder cannot be made or written.
    #[error("the buffer {} cannot be written: {why}; check the path, its owner and the space left", folder.display())]
    Folder {
        /// The buffer's folder.
        folder: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Something else than readings cannot be read back.
    #[error("an entry of the store's table `{table}` cannot be read: {why}")]
    Unreadable {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// The open buffer.
#[derive(Debug)]
pub struct Store {
    engine: Engine,
    folder: PathBuf,
    epoch: u32,
    /// Held while appending, so that numbers and order on disk agree.
    appending: Mutex<()>,
    /// Moves when what lies below is durable; reading it never waits for the disk.
    next_sequence: AtomicU64,
    acknowledged: AtomicU64,
    /// Keeps others out for as long as it is open.
    _lock: File,
}

impl Store {
    /// Opens the buffer in `folder`, or makes it. A damaged store is renamed and a new one begun: metering goes on, and what was
    /// stored stays for salvage. The second value says where it was put.
    ///
    /// # Errors
    /// When neither works, or the fault is not the store's and may pass: no right to write there, disk full, too many open files.
    pub fn open(folder: &Path, now_utc_us: i64) -> Result<(Self, Option<PathBuf>), StoreError> {
        let lock = lock_folder(folder)?;
        let engine_folder = folder.join(ENGINE_FOLDER);
        match Self::open_engine(folder, &lock, now_utc_us) {
            Ok(store) => Ok((store, None)),
            Err(why @ StoreError::Engine(EngineError::Open { .. })) if engine_folder.exists() => {
                let aside = folder.join(format!("damaged-{}", now_utc_us / 1_000_000));
                std::fs::rename(&engine_folder, &aside).map_err(|_| why)?;
                Ok((Self::open_engine(folder, &lock, now_utc_us)?, Some(aside)))
            }
            Err(why) => Err(why),
        }
    }

    fn open_engine(folder: &Path, lock: &File, now_utc_us: i64) -> Result<Self, StoreError> {
        let cannot = |why| StoreError::Folder { folder: folder.to_owned(), why };
        let engine = Engine::open(&folder.join(ENGINE_FOLDER))?;
        let last_epoch = mark(&engine, MARK_EPOCH)?.and_then(|epoch| u32::try_from(epoch).ok()).unwrap_or(0);
        let from_clock = u32::try_from(now_utc_us / 1_000_000).unwrap_or(0);
        let epoch = from_clock.max(last_epoch.saturating_add(1));
        let next = next_sequence(&engine)?;
        // The epoch must be durable before the first reading carries it.
        engine.commit(
            Table::Marks,
            &[pair(MARK_EPOCH, u64::from(epoch).to_be_bytes()), pair(MARK_NEXT, next.to_be_bytes())],
        )?;
        let acknowledged = mark(&engine, MARK_ACKNOWLEDGED)?.unwrap_or(1);
        Ok(Self {
            engine,
            folder: folder.to_owned(),
            epoch,
            appending: Mutex::new(()),
            next_sequence: AtomicU64::new(next),
            acknowledged: AtomicU64::new(acknowledged),
            _lock: lock.try_clone().map_err(cannot)?,
        })
    }

    /// The epoch of this run.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The sequence number that the next reading will get; all below are stored. The first ever is 1.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence.load(Ordering::Acquire)
    }

    /// Stores readings in this order and returns when they would survive a power cut; the next sequence number follows.
    ///
    /// # Errors
    /// When the engine fails; then none of the numbers is used up, and the same readings can be offered again.
    pub fn append(&self, readings: &[Reading]) -> Result<u64, StoreError> {
        let _appending = lock(&self.appending);
        let mut sequence = self.next_sequence();
        let mut blocks = Vec::with_capacity(readings.len().div_ceil(MAX_READINGS));
        for part in readings.chunks(MAX_READINGS) {
            sequence = encode_blocks(self.epoch, sequence, part, &mut blocks);
        }
        if !blocks.is_empty() {
            self.engine.commit(Table::Blocks, &blocks)?;
        }
        self.next_sequence.store(sequence, Ordering::Release);
        Ok(sequence)
    }

    /// Blocks in order, beginning with the one that holds `sequence`. What is not durable yet is not shown.
    pub fn blocks_from(&self, sequence: u64) -> impl Iterator<Item = Result<Block, StoreError>> + use<> {
        let key = sequence.to_be_bytes();
        let first = self.engine.at_or_before(Table::Blocks, &key);
        let first_key = match &first {
            Ok(Some((first_key, _))) => first_key.clone(),
            _ => key.to_vec(),
        };
        let failed = first.err().map(|why| Err(why.into()));
        let upto = self.next_sequence();
        failed.into_iter().chain(
            self.engine
                .from(Table::Blocks, &first_key)
                .map(decode_block)
                .skip_while(move |block| block.as_ref().is_ok_and(|block| block.next_sequence() <= sequence))
                .take_while(move |block| block.as_ref().map_or(true, |block| block.first_sequence < upto)),
        )
    }

    /// Blocks in reverse order, beginning with the newest.
    pub fn blocks_backwards(&self) -> impl Iterator<Item = Result<Block, StoreError>> + use<> {
        self.engine.backwards(Table::Blocks, &self.next_sequence().to_be_bytes()).map(decode_block)
    }

    /// The sequence number below which the broker has acknowledged everything.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Remembers what the broker has acknowledged. Durable within a commit or half a second: losing it makes repeats, which their
    /// sequence numbers tell, and never a loss.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn set_acknowledged(&self, sequence: u64) -> Result<(), StoreError> {
        self.acknowledged.store(sequence, Ordering::Relaxed);
        Ok(self.engine.put_lazily(Table::Marks, MARK_ACKNOWLEDGED, &sequence.to_be_bytes())?)
    }

    /// The ids of channels with these meanings: those on record, or new ones with the next revision; durable on return.
    ///
    /// # Errors
    /// When the engine fails or a record cannot be read.
    pub fn channel_ids(&self, wanted: &[ChannelRecord]) -> Result<Vec<ChannelId>, StoreError> {
        let mut known = self.channels()?;
        let mut new = Vec::new();
        let mut ids = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let same_name =
                |known: &ChannelRecord| known.device == wanted.device && known.channel == wanted.channel;
            let newest =
                known.iter().filter(|(_, known)| same_name(known)).max_by_key(|(_, known)| known.revision);
            if let Some((id, _)) = newest.filter(|(_, newest)| newest.same_meaning(wanted)) {
                ids.push(*id);
                continue;
            }
            let revision = newest.map_or(1, |(_, newest)| newest.revision + 1);
            let id = ChannelId(known.iter().map(|(id, _)| id.0 + 1).max().unwrap_or(0));
            let record = ChannelRecord { revision, ..wanted.clone() };
            new.push(pair(id.0.to_be_bytes(), to_json(&record)?));
            known.push((id, record));
            ids.push(id);
        }
        if !new.is_empty() {
            self.engine.commit(Table::Channels, &new)?;
        }
        Ok(ids)
    }

    /// Every channel revision ever registered.
    ///
    /// # Errors
    /// When the engine fails or a record cannot be read.
    pub fn channels(&self) -> Result<Vec<(ChannelId, ChannelRecord)>, StoreError> {
        let of_pair = |(key, value): Pair| {
            let id = <[u8; 4]>::try_from(key.as_slice()).map_err(|_| unreadable("channels", "odd key"))?;
            let record = serde_json::from_slice(&value).map_err(|why| unreadable("channels", why))?;
            Ok((ChannelId(u32::from_be_bytes(id)), record))
        };
        self.engine.from(Table::Channels, &[]).map(|pair| of_pair(pair?)).collect()
    }

    /// Appends to the log of batch events; durable on return.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn append_event(&self, number: u64, event: &impl serde::Serialize) -> Result<(), StoreError> {
        self.put_json(Table::Events, &number.to_be_bytes(), event)
    }

    /// The log of batch events, oldest first.
    ///
    /// # Errors
    /// When the engine fails or an event cannot be read.
    pub fn events<T: serde::de::DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        self.jsons(Table::Events, "events", 1).map(|event| Ok(event?.1)).collect()
    }

    /// Appends to the primary-data documents; durable on return. Earlier revisions stay.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn append_document(&self, document: &impl serde::Serialize) -> Result<(), StoreError> {
        let last = self.engine.at_or_before(Table::Documents, &u64::MAX.to_be_bytes())?;
        let number = last.map_or(1, |(key, _)| sequence_of(&key) + 1);
        self.put_json(Table::Documents, &number.to_be_bytes(), document)
    }

    /// Documents in order of issue, from a number on, with their numbers. The first ever is 1.
    pub fn documents_from<T: serde::de::DeserializeOwned>(
        &self,
        number: u64,
    ) -> impl Iterator<Item = Result<(u64, T), StoreError>> + use<T> {
        self.jsons(Table::Documents, "documents", number)
    }

    /// The number below which the broker has acknowledged every document.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn documents_acknowledged(&self) -> Result<u64, StoreError> {
        Ok(mark(&self.engine, MARK_DOCUMENTS)?.unwrap_or(1))
    }

    /// Remembers which documents the broker has acknowledged; as durable as [`Store::set_acknowledged`].
    ///
    /// # Errors
    /// When the engine fails.
    pub fn set_documents_acknowledged(&self, number: u64) -> Result<(), StoreError> {
        Ok(self.engine.put_lazily(Table::Marks, MARK_DOCUMENTS, &number.to_be_bytes())?)
    }

    /// Bytes that the buffer takes on disk.
    pub fn disk_bytes(&self) -> u64 {
        self.engine.disk_bytes()
    }

    /// Where the buffer lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn put_json(&self, table: Table, key: &[u8], value: &impl serde::Serialize) -> Result<(), StoreError> {
        let json = to_json(value)?;
        let parts = json.chunks(MAX_VALUE_BYTES).zip(0_u16..);
        let part_key = |part: u16| if part == 0 { key.to_vec() } else { [key, &part.to_be_bytes()].concat() };
        let pairs: Vec<Pair> = parts.map(|(bytes, part)| (part_key(part), bytes.to_vec())).collect();
        Ok(self.engine.commit(table, &pairs)?)
    }

    fn jsons<T: serde::de::DeserializeOwned>(
        &self,
        table: Table,
        name: &'static str,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, T), StoreError>> + use<T> {
        let mut pairs = self.engine.from(table, &from.to_be_bytes()).peekable();
        let mut next = move || {
            let Some(first) = pairs.next() else { return Ok(None) };
            let (key, mut value) = first?;
            let is_part =
                |pair: &Result<Pair, _>| pair.as_ref().is_ok_and(|(next, _)| next.starts_with(&key));
            while let Some(part) = pairs.next_if(is_part) {
                value.extend(part?.1);
            }
            let json = serde_json::from_slice(&value).map_err(|why| unreadable(name, why))?;
            Ok(Some((sequence_of(&key), json)))
        };
        std::iter::from_fn(move || next().transpose())
    }
}

fn lock_folder(folder: &Path) -> Result<File, StoreError> {
    let cannot = |why| StoreError::Folder { folder: folder.to_owned(), why };
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let lock = File::create(folder.join("lock")).map_err(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse { folder: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(why)) => Err(cannot(why)),
    }
}

fn pair(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Pair {
    (key.as_ref().to_vec(), value.as_ref().to_vec())
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|why| unreadable("(writing)", why))
}

fn unreadable(table: &'static str, why: impl ToString) -> StoreError {
    StoreError::Unreadable { table, why: why.to_string() }
}

fn mark(engine: &Engine, key: &[u8]) -> Result<Option<u64>, StoreError> {
    let eight = engine.get(Table::Marks, key)?.and_then(|value| <[u8; 8]>::try_from(value.as_slice()).ok());
    Ok(eight.map(u64::from_be_bytes))
}

/// After the last block, and never below the mark of the last start.
fn next_sequence(engine: &Engine) -> Result<u64, StoreError> {
    let marked = mark(engine, MARK_NEXT)?.unwrap_or(1);
    let last = engine.at_or_before(Table::Blocks, &u64::MAX.to_be_bytes())?;
    let after_last = match last.map(|pair| (sequence_of(&pair.0), decode_block(Ok(pair)))) {
        None => 1,
        Some((_, Ok(block))) => block.next_sequence(),
        // A damaged block hides how many readings it held: skip as many as it can have held.
        Some((first, Err(_))) => first + MAX_READINGS as u64,
    };
    Ok(after_last.max(marked))
}

/// The number that a key begins with; parts of one value carry theirs behind it.
fn sequence_of(key: &[u8]) -> u64 {
    key.first_chunk().copied().map(u64::from_be_bytes).unwrap_or(0)
}

/// Readings as blocks that the engine keeps inside its log: mostly one, two where their values pack badly. The sequence number
/// that follows is the result.
fn encode_blocks(epoch: u32, first_sequence: u64, readings: &[Reading], blocks: &mut Vec<Pair>) -> u64 {
    let block = Block { epoch, first_sequence, readings: readings.to_vec() };
    let bytes = block.encode();
    if bytes.len() > MAX_VALUE_BYTES && readings.len() > 1 {
        let (front, back) = readings.split_at(readings.len() / 2);
        let middle = encode_blocks(epoch, first_sequence, front, blocks);
        return encode_blocks(epoch, middle, back, blocks);
    }
    blocks.push(pair(first_sequence.to_be_bytes(), bytes));
    block.next_sequence()
}

fn decode_block(pair: Result<Pair, EngineError>) -> Result<Block, StoreError> {
    let (key, value) = pair?;
    Block::decode(&value).map_err(|why| StoreError::Damaged { first_sequence: sequence_of(&key), why })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Collects replies from the links and stores them together. Ends when all links are gone and everything is stored. While the
/// engine fails (disk full) it tries again at growing intervals and takes nothing new, so the links wait.
pub async fn run(
    store: std::sync::Arc<Store>,
    clock: Clock,
    mut replies: mpsc::Receiver<Vec<Reading>>,
    stored: watch::Sender<u64>,
) {
    while let Some(mut readings) = replies.recv().await {
        let deadline = clock.instant() + COMMIT_INTERVAL;
        while readings.len() < MAX_READINGS {
            match timeout_at(deadline, replies.recv()).await {
                Ok(Some(more)) => readings.extend(more),
                Ok(None) | Err(_) => break,
            }
        }
        let next = append_until_stored(&store, readings).await;
        stored.send_replace(next);
    }
}

async fn append_until_stored(store: &std::sync::Arc<Store>, readings: Vec<Reading>) -> u64 {
    let readings = std::sync::Arc::new(readings);
    let mut pause = Duration::from_millis(100);
    loop {
        let (store, batch) = (store.clone(), readings.clone());
        match tokio::task::spawn_blocking(move || store.append(&batch)).await {
            Ok(Ok(next)) => return next,
            Ok(Err(why)) => {
                tracing::error!(%why, readings = readings.len(), "readings are not stored yet; polling waits")
            }
            Err(panicked) => {
                tracing::error!(%panicked, "the storage engine panicked; readings are not stored yet")
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

#[cfg(test)]
mod tests {
    use weighbridge_protocol::Raw;

    use super::*;
    use crate::reading::Quality;

    fn reading(count: i64) -> Reading {
        Reading {
            channel: ChannelId(3),
            utc_us: 1_800_000_000_000_000 + count,
            half_width_us: 9,
            value: Some(Raw::Integer(count)),
            quality: Quality::Good,
        }
    }

    fn open(folder: &Path) -> Store {
        let (store, aside) = Store::open(folder, 1_700_000_000_000_000).unwrap();
        assert_eq!(aside, None);
        store
    }

    #[test]
    fn readings_keep_their_numbers_across_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let first = open(&path);
        assert_eq!(first.epoch(), 1_700_000_000);
        assert_eq!(first.append(&(0..1_300).map(reading).collect::<Vec<_>>()).unwrap(), 1_301);
        first.set_acknowledged(700).unwrap();
        drop(first);

        let second = open(&path);
        assert_eq!(second.epoch(), 1_700_000_001, "the clock did not move, the epoch does");
        assert_eq!(second.acknowledged(), 700);
        assert_eq!(second.append(&[reading(1_300)]).unwrap(), 1_302);
        let blocks: Vec<Block> = second.blocks_from(700).map(Result::unwrap).collect();
        assert_eq!(blocks[0].first_sequence, 513, "begins with the block that holds 700");
        let counts: Vec<_> =
            blocks.iter().flat_map(|block| &block.readings).map(|reading| reading.value).collect();
        assert_eq!(counts.first(), Some(&Some(Raw::Integer(512))));
        assert_eq!(counts.last(), Some(&Some(Raw::Integer(1_300))));
        assert_eq!(counts.len(), 1_301 - 512);
        assert_eq!(second.blocks_backwards().next().unwrap().unwrap().epoch, second.epoch());
        assert_eq!(second.blocks_from(1_302).count(), 0);
    }

    #[test]
    fn a_channel_keeps_its_id_until_its_meaning_changes() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("store"));
        let record = |factor: &str| ChannelRecord {
            device: "meter".into(),
            channel: "energy_import".into(),
            unit: "kWh".into(),
            kind: "counter".into(),
            factor: factor.into(),
            revision: 1,
        };
        let id = |factor| store.channel_ids(&[record(factor)]).unwrap()[0];
        let first = id("0.01");
        assert_eq!(id("0.01"), first);
        let second = id("0.4");
        assert_ne!(second, first);
        assert_eq!(store.channels().unwrap()[1].1.revision, 2);
        let third = id("0.01");
        assert!(third != first && third != second, "going back is a change too");
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        drop(open(&path));
        std::fs::write(path.join("sled/conf"), b"not sled's").unwrap();
        let (store, aside) = Store::open(&path, 1_700_000_000_000_000).unwrap();
        assert_eq!(store.next_sequence(), 1);
        assert!(aside.unwrap().join("db").exists());
    }

    #[test]
    fn a_second_agent_is_kept_out_and_sets_nothing_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let first = open(&path);
        let refused = Store::open(&path, 1_700_000_000_000_000).unwrap_err();
        assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
        assert_eq!(first.append(&[reading(0)]).unwrap(), 2);
    }

    /// No value may leave sled's log for a file of its own, which a commit does not sync.
    #[test]
    fn what_packs_badly_stays_inside_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = open(&path);
        let badly_packing = |place: u32| Reading {
            channel: ChannelId(place * 337 % 1_000),
            utc_us: 1_800_000_000_000_000 + i64::from(place) * 9_000,
            half_width_us: 20_000 + place % 7_000,
            value: Some(Raw::Float(f64::from(place) * 1.1)),
            quality: Quality::Good,
        };
        let readings: Vec<_> = (0..30_000).map(badly_packing).collect();
        for part in readings.chunks(MAX_READINGS) {
            store.append(part).unwrap();
        }
        let documents: Vec<String> = (0..40_usize).map(|length| "x".repeat(length * 1_000)).collect();
        documents.iter().for_each(|document| store.append_document(document).unwrap());
        drop(store);

        assert_eq!(std::fs::read_dir(path.join("sled/blobs")).unwrap().count(), 0);
        let store = open(&path);
        let stored: Vec<_> = store.blocks_from(1).flat_map(|block| block.unwrap().readings).collect();
        assert!(stored == readings, "in order, each once");
        let numbered = (1_u64..).zip(documents).collect::<Vec<_>>();
        assert!(store.documents_from::<String>(1).map(Result::unwrap).eq(numbered.clone()));
        assert!(store.documents_from::<String>(30).map(Result::unwrap).eq(numbered[29..].to_vec()));
    }

    #[tokio::test]
    async fn what_links_send_is_stored_in_order_and_announced() {
        let folder = tempfile::tempdir().unwrap();
        let store = std::sync::Arc::new(open(&folder.path().join("store")));
        let (replies, queue) = mpsc::channel(QUEUE_REPLIES);
        let (stored, mut seen) = watch::channel(1);
        let writer = tokio::spawn(run(store.clone(), Clock::system(), queue, stored));
        for count in 0..100 {
            replies.send(vec![reading(2 * count), reading(2 * count + 1)]).await.unwrap();
        }
        drop(replies);
        writer.await.unwrap();
        assert_eq!(*seen.borrow_and_update(), 201);
        let counts: Vec<_> =
            store.blocks_from(1).flat_map(|block| block.unwrap().readings).map(|r| r.value).collect();
        assert_eq!(counts, (0..200).map(|count| Some(Raw::Integer(count))).collect::<Vec<_>>());
    }
}
