//! A raw pseudo-terminal. The slave side is kept open here as well, so that the master never sees a hang-up; a real line does
//! not notice either whether a program has the port open.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr};

#[derive(Debug)]
pub(super) struct Pty {
    master: OwnedFd,
    slave: OwnedFd,
    path: PathBuf,
}

impl Pty {
    pub(super) fn open() -> io::Result<Pty> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let path = PathBuf::from(OsStr::from_bytes(ptsname(&master, Vec::new())?.as_bytes()));
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut settings = tcgetattr(&slave)?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        Ok(Pty { master, slave, path })
    }

    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Path of the slave side.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The rate that the program has set, in bits per second; 0 if it hung up.
    pub(super) fn baud(&self) -> io::Result<u32> {
        Ok(tcgetattr(&self.slave)?.output_speed())
    }

    /// Reads what the program has written; 0 if there is nothing now.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match retry_on_intr(|| rustix::io::read(&self.master, &mut *buffer)) {
            Err(Errno::AGAIN) => Ok(0),
            read => Ok(read?),
        }
    }

    /// Hands bytes to the program. What does not fit into the port's buffer is lost, as on a real port that nobody reads.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match retry_on_intr(|| rustix::io::write(&self.master, bytes)) {
            Err(Errno::AGAIN) => Ok(()),
            written => written.map(|_| ()).map_err(io::Error::from),
        }
    }

    /// Makes the port as if just plugged in: nothing to read, open to everyone. A program that is killed leaves it claimed for
    /// itself (`TIOCEXCL`), which on a real port ends with the last close.
    pub(super) fn reset(&self) -> io::Result<()> {
        tcflush(&self.slave, QueueSelector::IFlush)?;
        Ok(ioctl_tiocnxcl(&self.slave)?)
    }
}
