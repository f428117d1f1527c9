//! Lines on pseudo-terminals, at the pace of real ones.
//!
//! A program opens the path of a [`Host`] as it would a serial port and sets its rate; what it sends occupies the wire for as
//! long as it would on a real line, and replies arrive no faster. The parity is not kept by a pseudo-terminal and not
//! checked. The port may be closed and opened again, also by a killed program.

mod link;
mod openings;
mod pty;
mod timer;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use link::PortLink;
use openings::Openings;
use pty::Pty;
use timer::Timer;

use crate::device::{Device, DeviceSetup};
use crate::line::{Line, LineFaults, Statistics};
use crate::plant::Plant;

/// Plant time, in microseconds UTC.
pub type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A line and what is on it.
#[derive(Clone, Debug)]
pub struct LineSetup {
    /// Name of the line, for messages.
    pub name: String,
    /// Devices on it; their settings may differ.
    pub devices: Vec<DeviceSetup>,
    /// What goes wrong on it.
    pub faults: LineFaults,
}

/// A simulated line behind a pseudo-terminal.
pub struct Host {
    pty: Pty,
    openings: Openings,
    timer: Timer,
    traffic: Traffic,
    link: Option<PortLink>,
}

/// The line in real time.
struct Traffic {
    line: Line,
    now: Now,
    opened: Instant,
    statistics: watch::Sender<Statistics>,
}

impl Host {
    /// Opens a pseudo-terminal for a line in `plant`. With `link_path`, a symbolic link there leads to it until the host is
    /// dropped: folders are made as needed, an old link is replaced.
    ///
    /// # Errors
    /// If a device's setup does not fit its profile or the plant (`InvalidInput`), something else than a link is at `link_path`
    /// (`AlreadyExists`), or the system refuses.
    pub fn open(setup: LineSetup, plant: Arc<Plant>, now: Now, link_path: Option<&Path>) -> io::Result<Host> {
        let devices = setup.devices.iter().map(|device| {
            Device::new(device, plant.clone()).map_err(|error| {
                let message = format!("line '{}', device {}: {error}", setup.name, device.address);
                io::Error::new(io::ErrorKind::InvalidInput, message)
            })
        });
        let line = Line::new(devices.collect::<io::Result<_>>()?, setup.faults);
        let pty = Pty::open()?;
        let openings = Openings::watch(pty.path())?;
        let link = link_path.map(|path| PortLink::create(path, pty.path())).transpose()?;
        let statistics = watch::Sender::new(Statistics::default());
        let traffic = Traffic { line, now, opened: Instant::now(), statistics };
        Ok(Host { pty, openings, timer: Timer::new()?, traffic, link })
    }

    /// The path to open: the link if there is one, otherwise the pseudo-terminal.
    pub fn path(&self) -> PathBuf {
        self.link.as_ref().map_or(self.pty.path(), PortLink::path).to_path_buf()
    }

    /// What happens on the line, kept up to date while it is served, and the last state afterwards.
    pub fn statistics(&self) -> watch::Receiver<Statistics> {
        self.traffic.statistics.subscribe()
    }

    /// Lets the devices live; runs until it is dropped, and may then be called again.
    ///
    /// # Errors
    /// If the system takes the pseudo-terminal away.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O.
    pub async fn serve(&mut self) -> io::Result<()> {
        let Host { pty, openings, timer, traffic, .. } = self;
        let port = registered(pty.master())?;
        let alarm = registered(timer.file())?;
        let changes = registered(openings.file())?;
        let mut is_open = true;
        loop {
            traffic.pass_on(pty, is_open)?;
            timer.set(traffic.wake_after())?;
            tokio::select! {
                ready = port.readable(), if traffic.takes_bytes() => {
                    let mut ready = ready?;
                    match traffic.take(pty)? {
                        0 => ready.clear_ready(),
                        _ => is_open = true,
                    }
                }
                ready = alarm.readable() => {
                    timer.acknowledge()?;
                    ready?.clear_ready();
                }
                ready = changes.readable() => {
                    ready?.clear_ready();
                    let Some(changes) = openings.changes()? else { continue };
                    is_open = !changes.is_closed;
                    if changes.was_closed {
                        pty.reset()?;
                    }
                }
            }
        }
    }
}

impl Traffic {
    fn now_ns(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn takes_bytes(&self) -> bool {
        self.line.free_from_ns() <= self.now_ns()
    }

    /// Takes what the program has written; 0 if there is nothing more.
    fn take(&mut self, pty: &Pty) -> io::Result<usize> {
        let mut buffer = [0; 512];
        let taken = pty.read(&mut buffer)?;
        if taken > 0 {
            self.line.handle_bytes(self.now_ns(), pty.baud()?, &buffer[..taken]);
            self.publish();
        }
        Ok(taken)
    }

    /// Hands the program what is due. While no program has the port open, it is lost.
    fn pass_on(&mut self, pty: &Pty, is_open: bool) -> io::Result<()> {
        let now_ns = self.now_ns();
        if self.line.poll_wake_ns().is_none_or(|wake_ns| wake_ns > now_ns) {
            return Ok(());
        }
        let received = self.line.handle_time(now_ns, pty.baud()?, (self.now)());
        self.publish();
        if is_open { pty.write(&received) } else { Ok(()) }
    }

    /// How long to sleep, in nanoseconds; `None`: until the program does something.
    fn wake_after(&self) -> Option<u64> {
        let now_ns = self.now_ns();
        let free_from_ns = Some(self.line.free_from_ns()).filter(|free_ns| *free_ns > now_ns);
        let wake_ns = self.line.poll_wake_ns().into_iter().chain(free_from_ns).min()?;
        Some(wake_ns.saturating_sub(now_ns))
    }

    fn publish(&self) {
        let statistics = self.line.statistics();
        self.statistics.send_if_modified(|known| std::mem::replace(known, statistics) != statistics);
    }
}

#[expect(
    deprecated,
    reason = "its replacement is unsafe, for types that lie about their file; a borrowed one cannot"
)]
fn registered(file: BorrowedFd<'_>) -> io::Result<AsyncFd<BorrowedFd<'_>>> {
    AsyncFd::with_interest(file, Interest::READABLE)
}

impl std::fmt::Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Host").field("path", &self.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
