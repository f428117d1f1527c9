//! Notices when a program opens or closes the port.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

#[derive(Debug)]
pub(super) struct Openings {
    inotify: OwnedFd,
}

/// What happened to the port since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// A program has closed it.
    pub(super) was_closed: bool,
    /// No program has opened it after that.
    pub(super) is_closed: bool,
}

impl Openings {
    pub(super) fn watch(path: &Path) -> io::Result<Openings> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let wanted = WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE;
        inotify::add_watch(&inotify, path, wanted)?;
        Ok(Openings { inotify })
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// `None` if there was no change.
    pub(super) fn changes(&self) -> io::Result<Option<Changes>> {
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut changes: Option<Changes> = None;
        loop {
            match reader.next() {
                Ok(event) => {
                    let is_closed = !event.events().contains(ReadFlags::OPEN);
                    let was_closed = is_closed || changes.is_some_and(|earlier| earlier.was_closed);
                    changes = Some(Changes { was_closed, is_closed });
                }
                Err(Errno::AGAIN) => return Ok(changes),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
