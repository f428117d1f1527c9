//! The link task on lines where everything goes wrong that can: never a wrong value, and a reason for every missing one.

#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use weighbridge::clock::Clock;
use weighbridge::link::{self, Bus, Statistics};
use weighbridge::reading::{ChannelId, Quality, Reading, Reason};
use weighbridge_config::Site;
use weighbridge_config::profile::ChannelKind;
use weighbridge_config::site::{Connection, Device};
use weighbridge_protocol::Raw;
use weighbridge_simulators::{
    DeviceSetup, Feed, Host, LineFaults, LineSetup, Plant, Statistics as LineStatistics, TransformerRatio,
};

/// Two DL/T 645 meters at 9600 8E1 beside two Modbus meters of one model at 19200 8N1: what answers one of them would, by its
/// layout, answer another as well.
const DEVICES: &str = r#"
[[device]]
name = "dlt-1"
link = "trunk"
profile = "dlt645-2007/single-phase"
address = "000000000001"
line = { baud = 9600, parity = "even" }
poll = { energy_import = "1 s", energy_export = "1 s", active_power = "2 s", voltage = "2 s" }
[[device]]
name = "dlt-2"
link = "trunk"
profile = "dlt645-2007/single-phase"
address = "000000000002"
line = { baud = 9600, parity = "even" }
poll = { energy_import = "1 s", voltage = "1 s" }
[[device]]
name = "rtu-1"
link = "trunk"
profile = "acrel/adw300"
address = 11
poll = { energy_import = "1 s", energy_export = "2 s", active_power = "1 s" }
[[device]]
name = "rtu-2"
link = "trunk"
profile = "acrel/adw300"
address = 12
poll = { energy_import = "1 s", energy_export = "2 s", active_power = "1 s" }
"#;
/// The plant runs faster than the wires, so that every period finds the line busy and counters move between two readings.
const SPEED: f64 = 100.0;
const START: i64 = 1_795_000_000_000_000;
/// The one counter that grows: channel 0 of device 0.
const GROWING: (usize, usize) = (0, 0);
const TIME_ON_THE_LINE: Duration = Duration::from_secs(9);
/// What the clock may show more between the simulator's look at it and the first byte that the agent sees.
const SLACK_US: i64 = 20_000 * SPEED as i64;

/// No two channels show the same number.
fn constant(device: usize, channel: usize) -> f64 {
    11.0 + 13.0 * device as f64 + channel as f64
}

fn setup(index: usize, device: &Device) -> DeviceSetup {
    let feed = |place: usize| match (index, place) {
        GROWING => Feed::Energy { section: "smt".into() },
        _ => Feed::Constant(constant(index, place)),
    };
    let feeds =
        device.channels.iter().enumerate().map(|(place, channel)| (channel.name.clone(), feed(place)));
    DeviceSetup {
        profile: device.profile.clone(),
        address: device.address,
        line: device.line,
        turn_round: Duration::from_millis(20),
        feeds: feeds.collect(),
        true_relative_error: 0.0,
        ratio: TransformerRatio::NONE,
        initial_count: Some(0.0),
    }
}

fn strong_faults(seed: u64) -> LineFaults {
    LineFaults {
        seed,
        flip_per_byte: 2e-3,
        loss_per_byte: 1e-3,
        glitch_per_reply: 0.1,
        echo: seed.is_multiple_of(2),
        mute_per_request: 0.03,
        late_per_request: 0.04,
        // Behind the time-out of both protocols, and while their device rests.
        late_by: Duration::from_millis(700),
        foreign_per_reply: 0.1,
    }
}

type Places = BTreeMap<ChannelId, (usize, usize)>;

/// The bus of a site with one link, and which channel of which device an id stands for.
fn bus(site: &Site) -> (Bus, Places) {
    let id = |device: usize, channel: usize| ChannelId((100 * device + channel) as u32);
    let of_device = |(index, device): (usize, &Device)| {
        (0..device.channels.len()).map(|channel| (id(index, channel), (index, channel))).collect::<Vec<_>>()
    };
    (Bus::plan(site, 0, id), site.devices.iter().enumerate().flat_map(of_device).collect())
}

/// Lets the link task run for a while, or until it has sent `replies`; gives back its readings.
async fn run(bus: Bus, clock: &Clock, replies: usize, patience: Duration) -> Vec<Reading> {
    let (sender, mut queue) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let statistics = Arc::new(Statistics::new(&bus, clock));
    let task = tokio::spawn(link::run(bus, clock.clone(), sender, statistics, stopped));
    let (mut readings, mut seen) = (Vec::new(), 0);
    let _ = timeout(patience, async {
        while seen < replies
            && let Some(reply) = queue.recv().await
        {
            readings.extend(reply);
            seen += 1;
        }
    })
    .await;
    stop.send_replace(true);
    let rest = async { while queue.recv().await.is_some() {} };
    timeout(Duration::from_secs(20), rest).await.expect("the link ends when it is told to");
    task.await.unwrap();
    readings
}

async fn live(site: &Site, faults: LineFaults) -> (Vec<Reading>, Plant, LineStatistics) {
    let clock = Clock::simulated(START, SPEED);
    let plant = Plant::new(faults.seed, START);
    let devices = site.devices.iter().enumerate().map(|(index, device)| setup(index, device)).collect();
    let now = clock.clone();
    let line = LineSetup { name: "trunk".into(), devices, faults };
    let mut host =
        Host::open(line, Arc::new(plant.clone()), Arc::new(move || now.now_utc_us()), None).unwrap();
    let happened = host.statistics();
    let mut site = site.clone();
    site.links[0].connection = Connection::Serial { port: host.path().display().to_string() };
    let server = tokio::spawn(async move { host.serve().await });
    let readings = run(bus(&site).0, &clock, usize::MAX, TIME_ON_THE_LINE).await;
    server.abort();
    let statistics = *happened.borrow();
    (readings, plant, statistics)
}

/// Whether a channel really showed this value at that time.
fn is_true(site: &Site, plant: &Plant, (index, place): (usize, usize), reading: &Reading) -> bool {
    let channel = &site.devices[index].channels[place];
    let Some(Raw::Integer(count)) = reading.value else { return false };
    let factor = channel.factor.to_f64();
    if (index, place) != GROWING {
        return count == (constant(index, place) / factor).round() as i64;
    }
    let counts_at = |utc_us: i64| (plant.energy_kwh("smt", utc_us) / factor).floor() as i64;
    let half = i64::from(reading.half_width_us) + SLACK_US;
    (counts_at(reading.utc_us - half)..=counts_at(reading.utc_us + half)).contains(&count)
}

/// Gives back the channels that were heard.
async fn check(seed: u64) -> BTreeSet<(usize, usize)> {
    let site = sample::site(DEVICES);
    assert!(site.devices[0].channels[0].kind == ChannelKind::Counter);
    let (readings, plant, line) = live(&site, strong_faults(seed)).await;
    let places = bus(&site).1;
    let mut heard = BTreeSet::new();
    for reading in &readings {
        let place = places[&reading.channel];
        match reading.quality {
            Quality::Good => {
                assert!(
                    is_true(&site, &plant, place, reading),
                    "seed {seed}: {place:?} never showed {reading:?}"
                );
                heard.insert(place);
            }
            Quality::Bad(_) => assert_eq!(reading.value, None, "seed {seed}: {reading:?}"),
            Quality::Uncertain(_) => panic!("seed {seed}: {reading:?}"),
        }
    }
    // Only a late reply that nobody can foresee may fall on a request.
    assert!(line.requests_too_early <= line.collisions, "seed {seed}: {line:?}");
    assert!(line.collisions <= line.late_replies, "seed {seed}: {line:?}");
    assert!(line.faults_injected() > 10, "seed {seed}: {line:?}");
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_channel_ever_gets_a_value_that_it_did_not_have() {
    let checks: Vec<_> = (1..=6).map(|seed| tokio::spawn(check(seed))).collect();
    let mut heard = BTreeSet::new();
    for check in checks {
        heard.extend(check.await.unwrap());
    }
    assert_eq!(heard.len(), bus(&sample::site(DEVICES)).1.len(), "in spite of all: {heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_without_late_replies_is_never_disturbed() {
    let site = sample::site(DEVICES);
    let faults = LineFaults { late_per_request: 0.0, ..strong_faults(7) };
    let (readings, _, line) = live(&site, faults).await;
    assert!(readings.len() > 30, "{line:?}");
    assert_eq!((line.requests_too_early, line.collisions), (0, 0), "{line:?}");
}

/// The other end takes nothing more, as an adapter does that hangs: the port's buffer fills and stays full.
#[tokio::test]
async fn a_port_that_takes_no_bytes_is_a_lost_link() {
    let line = LineSetup { name: "stuck".into(), devices: Vec::new(), faults: LineFaults::default() };
    // Never served.
    let host = Host::open(line, Arc::new(Plant::new(1, START)), Arc::new(|| START), None).unwrap();
    fill(&host.path());
    let mut site = Site::clone(&sample::site(&sample::meter("m1", 1, "front").replace("10 s", "1 s")));
    site.links[0].connection = Connection::Serial { port: host.path().display().to_string() };
    let readings = run(bus(&site).0, &Clock::simulated(START, 1.0), 1, Duration::from_secs(20)).await;
    assert_eq!(readings[0].quality, Quality::Bad(Reason::LinkDown), "{readings:?}");
}

fn fill(path: &std::path::Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let nonblocking = 0o4000;
    let mut port = std::fs::OpenOptions::new().write(true).custom_flags(nonblocking).open(path).unwrap();
    // The system moves bytes on in its own time: full is what refuses again and again.
    let mut refused = 0;
    while refused < 50 {
        refused = if port.write(&[0; 64]).is_ok() { 0 } else { refused + 1 };
        std::thread::sleep(Duration::from_millis(1));
    }
    // Kept open: the line discipline would drop what nobody holds.
    std::mem::forget(port);
}

/// Many devices close a connection that has been idle: the next poll finds it gone, opens another, and nothing is missing.
#[tokio::test]
async fn a_connection_closed_when_idle_costs_no_reading() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = server.accept().await.unwrap();
            let mut request = [0; 12];
            if connection.read_exact(&mut request).await.is_ok() {
                let reply = [&request[..4], &[0, 7, request[6], 3, 4, 0, 0, 0x01, 0x02]].concat();
                connection.write_all(&reply).await.unwrap();
            }
        }
    });
    let mut site = Site::clone(&sample::site(&sample::meter("m1", 1, "front").replace("10 s", "1 s")));
    site.links[0].connection = Connection::ModbusTcp { host: "127.0.0.1".into(), port };
    let readings = run(bus(&site).0, &Clock::simulated(START, 5.0), 5, Duration::from_secs(20)).await;
    let values: Vec<_> = readings.iter().map(|reading| (reading.quality, reading.value)).collect();
    assert_eq!(values, [(Quality::Good, Some(Raw::Integer(0x0102))); 5]);
}
