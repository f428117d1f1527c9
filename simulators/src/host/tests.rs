use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, ioctl_tiocexcl, tcgetattr, tcsetattr};
use tokio::time::timeout;
use weighbridge_protocol::{Exchange, Outcome};

use super::*;
use crate::sample::{START, count_in, flow_meter, meter, plant, query};

/// Long enough for the slowest machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The port as a program has it.
struct Port(OwnedFd);

impl Port {
    fn open(path: &Path, baud: u32) -> Port {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let port = Port(rustix::fs::open(path, flags, Mode::empty()).unwrap());
        port.set_baud(baud);
        port
    }

    fn set_baud(&self, baud: u32) {
        let mut settings = tcgetattr(&self.0).unwrap();
        settings.make_raw();
        settings.set_speed(baud).unwrap();
        tcsetattr(&self.0, OptionalActions::Now, &settings).unwrap();
    }

    fn write(&self, bytes: &[u8]) {
        assert_eq!(rustix::io::write(&self.0, bytes), Ok(bytes.len()));
    }

    /// What is there to read now.
    fn read(&self) -> Vec<u8> {
        let mut buffer = [0; 512];
        match rustix::io::read(&self.0, &mut buffer) {
            Ok(read) => buffer[..read].to_vec(),
            Err(Errno::AGAIN) => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Reads until `exchange` is over.
    async fn finish(&self, exchange: &mut Exchange) -> (Outcome, Vec<u8>) {
        let file = registered(self.0.as_fd()).unwrap();
        let mut received = Vec::new();
        loop {
            let mut ready = timeout(PATIENCE, file.readable()).await.expect("a reply").unwrap();
            let bytes = self.read();
            if bytes.is_empty() {
                ready.clear_ready();
            }
            received.extend_from_slice(&bytes);
            if let Some(outcome) = exchange.handle_bytes(&bytes) {
                return (outcome, received);
            }
        }
    }

    /// Asks for a channel and returns the reply.
    async fn ask(&self, setup: &DeviceSetup, name: &str) -> Vec<u8> {
        let mut exchange = Exchange::new(query(setup, name).0);
        self.write(exchange.request());
        self.finish(&mut exchange).await.1
    }
}

fn start_of_plant() -> Now {
    Arc::new(|| START)
}

fn host(devices: Vec<DeviceSetup>, link_path: Option<&Path>) -> Host {
    let setup = LineSetup { name: "trunk".into(), devices, faults: LineFaults::default() };
    Host::open(setup, plant(), start_of_plant(), link_path).unwrap()
}

/// Serves `host` in the background until the test ends.
fn serve(mut host: Host) -> tokio::task::JoinHandle<io::Result<()>> {
    tokio::spawn(async move { host.serve().await })
}

#[tokio::test]
async fn a_reply_comes_and_not_before_it_can() {
    let host = host(vec![meter()], None);
    let port = Port::open(&host.path(), 2400);
    serve(host);
    let asked = Instant::now();
    let reply = port.ask(&meter(), "energy").await;
    let characters = Exchange::new(query(&meter(), "energy").0).request().len() + reply.len();
    let wire = Duration::from_nanos(meter().line.duration_ns(characters as u64));
    assert!(asked.elapsed() >= wire + meter().turn_round, "{:?}", asked.elapsed());
    assert_eq!(count_in(&meter(), "energy", &reply), 500_000.0);
}

#[tokio::test]
async fn a_wrong_rate_gets_no_reply() {
    let host = host(vec![meter()], None);
    let mut statistics = host.statistics();
    let port = Port::open(&host.path(), 9600);
    serve(host);
    let mut energy = Exchange::new(query(&meter(), "energy").0);
    port.write(Exchange::new(query(&meter(), "power").0).request());
    let taken = |seen: &Statistics| seen.unheard_bytes as usize == energy.request().len();
    timeout(PATIENCE, statistics.wait_for(taken)).await.unwrap().unwrap();
    port.set_baud(2400);
    port.write(energy.request());
    let (outcome, received) = port.finish(&mut energy).await;
    assert!(matches!(outcome, Outcome::Payload(_)));
    count_in(&meter(), "energy", &received);
    assert_eq!((statistics.borrow().requests_heard, energy.dropped().foreign_frames), (1, 0));
}

#[tokio::test]
async fn two_devices_of_two_rates_share_a_port() {
    let host = host(vec![meter(), flow_meter()], None);
    let statistics = host.statistics();
    let port = Port::open(&host.path(), 2400);
    serve(host);
    for _ in 0..3 {
        port.set_baud(2400);
        count_in(&meter(), "power", &port.ask(&meter(), "power").await);
        port.set_baud(9600);
        count_in(&flow_meter(), "total", &port.ask(&flow_meter(), "total").await);
    }
    assert_eq!(statistics.borrow().replies_sent, 6);
}

#[tokio::test]
async fn a_port_can_be_closed_and_opened_again_even_after_a_kill() {
    let host = host(vec![flow_meter()], None);
    let (path, mut statistics) = (host.path(), host.statistics());
    serve(host);
    for round in 1..=3 {
        let port = Port::open(&path, 9600);
        ioctl_tiocexcl(&port.0).unwrap();
        count_in(&flow_meter(), "total", &port.ask(&flow_meter(), "total").await);
        // Closed while a reply is under way, and still claimed: what a killed program leaves behind.
        port.write(Exchange::new(query(&flow_meter(), "flow").0).request());
        timeout(PATIENCE, statistics.wait_for(|seen| seen.requests_heard == 2 * round))
            .await
            .unwrap()
            .unwrap();
        drop(port);
        timeout(PATIENCE, statistics.wait_for(|seen| seen.replies_sent == 2 * round)).await.unwrap().unwrap();
    }
    let port = Port::open(&path, 9600);
    assert_eq!(port.read(), [0; 0], "what came while the port was closed");
}

#[tokio::test]
async fn serving_can_be_broken_off_and_taken_up_again() {
    let mut host = host(vec![flow_meter()], None);
    let port = Port::open(&host.path(), 9600);
    let mut exchange = Exchange::new(query(&flow_meter(), "total").0);
    port.write(exchange.request());
    tokio::select! {
        biased;
        served = host.serve() => panic!("{served:?}"),
        () = std::future::ready(()) => {}
    }
    serve(host);
    port.finish(&mut exchange).await;
}

#[tokio::test]
async fn values_are_read_at_plant_time() {
    let now = Arc::new(AtomicI64::new(START));
    let clock = now.clone();
    let setup =
        LineSetup { name: "trunk".into(), devices: vec![flow_meter()], faults: LineFaults::default() };
    let host = Host::open(setup, plant(), Arc::new(move || clock.load(Ordering::Relaxed)), None).unwrap();
    let port = Port::open(&host.path(), 9600);
    serve(host);
    for minutes in [0, 5, 60] {
        now.store(START + minutes * 60_000_000, Ordering::Relaxed);
        let shown = count_in(&flow_meter(), "precise", &port.ask(&flow_meter(), "precise").await);
        assert_eq!(shown, plant().material_kg("solder", START + minutes * 60_000_000));
    }
}

#[tokio::test]
async fn a_link_leads_to_the_port_while_the_host_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ports/trunk");
    let first = host(vec![meter()], Some(&path));
    assert_eq!(first.path(), path);
    let second = host(vec![flow_meter()], Some(&path));
    let port = Port::open(&path, 9600);
    drop(first);
    assert!(path.is_symlink(), "the first host left the second one's link alone");
    let server = serve(second);
    count_in(&flow_meter(), "total", &port.ask(&flow_meter(), "total").await);
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    assert!(!path.is_symlink());
}

#[test]
fn what_cannot_be_opened_is_said() {
    let open = |devices, path: Option<&Path>| {
        let setup = LineSetup { name: "trunk".into(), devices, faults: LineFaults::default() };
        Host::open(setup, plant(), start_of_plant(), path).map(|_| ()).unwrap_err()
    };
    let fed = DeviceSetup { feeds: vec![("heat".into(), crate::Feed::Constant(1.0))], ..meter() };
    let error = open(vec![fed], None);
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().starts_with("line 'trunk', device 000000123456: no channel 'heat'"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("file");
    std::fs::write(&taken, "mine").unwrap();
    assert_eq!(open(vec![meter()], Some(&taken)).kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "mine");
}
