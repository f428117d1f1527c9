use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system hands out by itself, so nobody's outgoing connection takes one between two tries.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

/// A TCP port of loopback that is kept for one test: it may be bound, left and bound again.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Other tests look at its lock.
    _claim: File,
}

impl Port {
    /// Claims a port that is free now.
    ///
    /// # Panics
    /// When there is none.
    pub fn claim() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let of_process = u16::try_from(std::process::id() * 97 % u32::from(COUNT)).unwrap_or(0);
        let tries = || (of_process + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT + FIRST;
        let claim = (0..COUNT).find_map(|_| Self::try_claim(tries()));
        claim.expect("no free port on this machine")
    }

    fn try_claim(number: u16) -> Option<Self> {
        let folder = std::env::temp_dir().join("weighbridge-tests-ports");
        std::fs::create_dir_all(&folder).ok()?;
        let claim = File::create(folder.join(number.to_string())).ok()?;
        claim.try_lock().ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _claim: claim })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address on loopback.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
