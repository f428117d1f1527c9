//! A timer of the kernel. Tokio's own has a resolution of a millisecond, a character at 9600 bit/s.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

const SECOND_NS: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Timer {
    timer: OwnedFd,
}

impl Timer {
    pub(super) fn new() -> io::Result<Timer> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        Ok(Timer { timer: timerfd_create(TimerfdClockId::Monotonic, flags)? })
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }

    /// Goes off after so many nanoseconds, or not at all.
    pub(super) fn set(&self, after_ns: Option<u64>) -> io::Result<()> {
        // Zero would switch it off.
        let it_value = after_ns.map_or(timespec(0), |after_ns| timespec(after_ns.max(1)));
        let once = Itimerspec { it_interval: timespec(0), it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }

    /// Takes note that it went off.
    pub(super) fn acknowledge(&self) -> io::Result<()> {
        match rustix::io::read(&self.timer, &mut [0; 8]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn timespec(ns: u64) -> Timespec {
    let part = |part: u64| i64::try_from(part).unwrap_or(i64::MAX);
    Timespec { tv_sec: part(ns / SECOND_NS), tv_nsec: part(ns % SECOND_NS) }
}
