use weighbridge_config::profile::LineSettings;
use weighbridge_protocol::{Exchange, Outcome};

use super::*;
use crate::device::DeviceSetup;
use crate::sample::{FAST, START, count_in, flow_meter, meter, plant, query};

const MS: u64 = 1_000_000;

fn line(setups: &[DeviceSetup], faults: LineFaults) -> Line {
    let device = |setup| Device::new(setup, plant()).unwrap();
    Line::new(setups.iter().map(device).collect(), faults)
}

fn request(setup: &DeviceSetup, name: &str) -> Vec<u8> {
    Exchange::new(query(setup, name).0).request().to_vec()
}

/// Wakes the line whenever it wants, the port being set to `baud`, until nothing is under way.
fn play(line: &mut Line, baud: u32) -> Vec<(u64, Vec<u8>)> {
    let mut played = Vec::new();
    while let Some(wake_ns) = line.poll_wake_ns() {
        let received = line.handle_time(wake_ns, baud, START + (wake_ns / 1000) as i64);
        if !received.is_empty() {
            played.push((wake_ns, received));
        }
    }
    played
}

fn bytes(played: &[(u64, Vec<u8>)]) -> Vec<u8> {
    played.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
}

fn last_ns(played: &[(u64, Vec<u8>)]) -> u64 {
    played.last().unwrap().0
}

fn wire_ns(settings: LineSettings, characters: usize) -> u64 {
    settings.duration_ns(characters as u64)
}

#[test]
fn an_exchange_takes_request_turn_round_and_reply() {
    for (setup, name) in [(meter(), "energy"), (meter(), "power"), (flow_meter(), "total")] {
        let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
        let request = request(&setup, name);
        line.handle_bytes(5 * MS, setup.line.baud, &request);
        let begins_ns = 5 * MS + wire_ns(setup.line, request.len()) + nanoseconds(setup.turn_round);
        let played = play(&mut line, setup.line.baud);
        assert_eq!(played[0].0, begins_ns + wire_ns(setup.line, 1));
        assert_eq!(played[0].1.len(), 1);
        assert_eq!(last_ns(&played), begins_ns + wire_ns(setup.line, bytes(&played).len()));
        count_in(&setup, name, &bytes(&played));
        let expected = Statistics { requests_heard: 1, replies_sent: 1, ..Statistics::default() };
        assert_eq!(line.statistics(), expected);
    }
}

#[test]
fn a_request_in_two_writes_takes_no_longer_than_in_one() {
    let setup = meter();
    let request = request(&setup, "energy");
    let mut whole = line(&[meter()], LineFaults::default());
    whole.handle_bytes(0, 2400, &request);
    let mut split = line(&[meter()], LineFaults::default());
    split.handle_bytes(0, 2400, &request[..9]);
    split.handle_bytes(MS, 2400, &request[9..]);
    assert_eq!(play(&mut whole, 2400), play(&mut split, 2400));
}

#[test]
fn values_are_those_of_the_instant_at_which_the_reply_begins() {
    let setup = flow_meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
    let arrives_ns = 100_000 * MS;
    let request = request(&setup, "precise");
    line.handle_bytes(arrives_ns, 9600, &request);
    let begins_ns = arrives_ns + wire_ns(FAST, request.len()) + 5 * MS;
    let shown = count_in(&setup, "precise", &bytes(&play(&mut line, 9600)));
    let truth = |ns: u64| plant().material_kg("solder", START + (ns / 1000) as i64);
    assert_eq!(shown, truth(begins_ns));
    assert_ne!(shown, truth(begins_ns - 2 * MS));
}

#[test]
fn a_late_wake_up_makes_a_late_reply_not_a_fast_one() {
    let setup = flow_meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
    line.handle_bytes(0, 9600, &request(&setup, "total"));
    assert_eq!(line.handle_time(3000 * MS, 9600, START), []);
    let played = play(&mut line, 9600);
    assert_eq!(last_ns(&played), 3000 * MS + wire_ns(FAST, bytes(&played).len()));
}

#[test]
fn another_rate_is_neither_heard_nor_understood() {
    let setup = meter();
    let mut unheard = line(&[meter()], LineFaults::default());
    unheard.handle_bytes(0, 9600, &request(&setup, "energy"));
    assert_eq!(unheard.poll_wake_ns(), None);
    assert_eq!(unheard.statistics(), Statistics { unheard_bytes: 20, ..Statistics::default() });

    let mut changed = line(&[meter()], LineFaults::default());
    changed.handle_bytes(0, 2400, &request(&setup, "energy"));
    let received = bytes(&play(&mut changed, 9600));
    assert!(!received.is_empty());
    assert_eq!(Exchange::new(query(&setup, "energy").0).handle_bytes(&received), None);
}

#[test]
fn devices_of_two_rates_share_a_line() {
    let (slow, fast) = (meter(), flow_meter());
    let mut line = line(&[meter(), flow_meter()], LineFaults::default());
    let mut now_ns = 0;
    for (setup, name) in [(&slow, "energy"), (&fast, "total"), (&slow, "power"), (&fast, "flow")] {
        line.handle_bytes(now_ns, setup.line.baud, &request(setup, name));
        let played = play(&mut line, setup.line.baud);
        count_in(setup, name, &bytes(&played));
        now_ns = last_ns(&played) + 50 * MS;
    }
    let expected = Statistics { requests_heard: 4, replies_sent: 4, ..Statistics::default() };
    assert_eq!(line.statistics(), expected);
}

#[test]
fn a_request_within_the_silent_gap_is_noticed() {
    for (after_ns, too_early) in [(0, 1), (3 * MS, 1), (4 * MS, 0)] {
        let setup = flow_meter();
        let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
        line.handle_bytes(0, 9600, &request(&setup, "total"));
        let ended_ns = last_ns(&play(&mut line, 9600));
        line.handle_bytes(ended_ns + after_ns, 9600, &request(&setup, "total"));
        play(&mut line, 9600);
        let statistics = line.statistics();
        assert_eq!(
            (statistics.requests_too_early, statistics.collisions),
            (too_early, 0),
            "after {after_ns} ns"
        );
        assert_eq!(statistics.replies_sent, 2);
    }
}

#[test]
fn who_talks_into_a_reply_spoils_both() {
    let setup = meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
    line.handle_bytes(0, 2400, &request(&setup, "energy"));
    let mut received = Vec::new();
    for _ in 0..8 {
        let wake_ns = line.poll_wake_ns().unwrap();
        received.extend(line.handle_time(wake_ns, 2400, START));
        if received.len() == 6 {
            line.handle_bytes(wake_ns, 2400, &request(&setup, "power"));
        }
    }
    received.extend(bytes(&play(&mut line, 2400)));
    assert_eq!(Exchange::new(query(&setup, "energy").0).handle_bytes(&received), None);
    let statistics = line.statistics();
    assert_eq!((statistics.requests_heard, statistics.replies_sent, statistics.collisions), (1, 1, 1));
}

#[test]
fn a_late_reply_to_an_old_request_falls_into_the_next_exchange() {
    let setup = meter();
    let late =
        LineFaults { late_per_request: 1.0, late_by: Duration::from_millis(900), ..LineFaults::default() };
    let mut line = line(std::slice::from_ref(&setup), late);
    line.handle_bytes(0, 2400, &request(&setup, "energy"));
    assert_eq!(line.handle_time(800 * MS, 2400, START), []);
    line.handle_bytes(800 * MS, 2400, &request(&setup, "power"));
    let received = bytes(&play(&mut line, 2400));
    let mut exchange = Exchange::new(query(&setup, "power").0);
    assert!(matches!(exchange.handle_bytes(&received), Some(Outcome::Payload(_))));
    assert_eq!(exchange.dropped().foreign_frames, 1);
    assert_eq!(line.statistics().late_replies, 2);
}

#[test]
fn a_reply_that_begins_into_a_request_spoils_both() {
    let setup = meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
    line.handle_bytes(0, 2400, &request(&setup, "energy"));
    let begins_ns = line.poll_wake_ns().unwrap();
    line.handle_bytes(begins_ns - 10 * MS, 2400, &request(&setup, "power"));
    let received = bytes(&play(&mut line, 2400));
    for name in ["energy", "power"] {
        assert_eq!(Exchange::new(query(&setup, name).0).handle_bytes(&received), None);
    }
    let statistics = line.statistics();
    assert_eq!((statistics.requests_heard, statistics.replies_sent, statistics.collisions), (2, 1, 1));
}

#[test]
fn an_echo_comes_at_the_pace_of_the_wire_and_before_the_reply() {
    let setup = flow_meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults { echo: true, ..LineFaults::default() });
    let request = request(&setup, "total");
    line.handle_bytes(0, 9600, &request);
    let played = play(&mut line, 9600);
    assert_eq!(played[0], (wire_ns(FAST, 1), vec![request[0]]));
    assert!(bytes(&played).starts_with(&request));
    count_in(&setup, "total", &bytes(&played)[request.len()..]);
    let mut exchange = Exchange::new(query(&setup, "total").0);
    assert!(exchange.handle_bytes(&bytes(&played)).is_some());
    assert_eq!(exchange.dropped().echo_bytes as usize, request.len());
}

#[test]
fn each_fault_does_what_it_says() {
    let none = LineFaults::default;
    for (faults, answered, what) in [
        (LineFaults { mute_per_request: 1.0, ..none() }, false, "mute"),
        (LineFaults { loss_per_byte: 0.5, ..none() }, false, "loss"),
        (LineFaults { flip_per_byte: 0.5, ..none() }, false, "flip"),
        (LineFaults { glitch_per_reply: 1.0, ..none() }, true, "glitch"),
        (LineFaults { foreign_per_reply: 1.0, ..none() }, true, "foreign"),
        (LineFaults { late_per_request: 1.0, late_by: Duration::from_secs(1), ..none() }, true, "late"),
    ] {
        for (setup, name) in [(meter(), "energy"), (flow_meter(), "total")] {
            let mut faulty = line(std::slice::from_ref(&setup), faults.clone());
            faulty.handle_bytes(0, setup.line.baud, &request(&setup, name));
            let received = bytes(&play(&mut faulty, setup.line.baud));
            let mut exchange = Exchange::new(query(&setup, name).0);
            let outcome = exchange.handle_bytes(&received).or_else(|| exchange.handle_silence());
            assert_eq!(outcome.is_some(), answered, "{what}: {outcome:?}");
            assert!(faulty.statistics().faults_injected() > 0, "{what}");
            assert_eq!(exchange.dropped().foreign_frames, u32::from(what == "foreign"), "{what}");
        }
    }
}

#[test]
fn the_same_seed_spoils_the_same_bytes() {
    let run = |seed| {
        let setup = meter();
        let faults = LineFaults { flip_per_byte: 0.01, loss_per_byte: 0.01, ..LineFaults::shop_floor(seed) };
        let mut line = line(std::slice::from_ref(&setup), faults);
        let heard: Vec<Vec<u8>> = (1..200)
            .map(|round| {
                line.handle_bytes(round * 2000 * MS, 2400, &request(&setup, "power"));
                bytes(&play(&mut line, 2400))
            })
            .collect();
        (heard, line.statistics())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_flood_has_to_wait() {
    let mut line = line(&[meter(), flow_meter()], LineFaults::default());
    assert_eq!(line.free_from_ns(), 0);
    line.handle_bytes(0, 9600, &[0x55; 4096]);
    assert!(line.free_from_ns() > wire_ns(FAST, 4096) - 101 * MS);
    assert_eq!(line.poll_wake_ns(), None);
    line.handle_bytes(0, 0, &[0x55; 4096]);
    line.handle_bytes(0, 9600, &[]);
    assert_eq!(line.statistics(), Statistics::default());
}

#[test]
fn two_devices_of_one_address_spoil_each_others_replies() {
    let mut line = line(&[meter(), meter()], LineFaults::default());
    let setup = meter();
    line.handle_bytes(0, 2400, &request(&setup, "energy"));
    let received = bytes(&play(&mut line, 2400));
    assert_eq!(Exchange::new(query(&setup, "energy").0).handle_bytes(&received), None);
    assert_eq!(line.statistics().collisions, 1);
}

#[test]
fn a_broken_off_request_does_not_swallow_the_next_one() {
    let setup = meter();
    let mut line = line(std::slice::from_ref(&setup), LineFaults::default());
    let request = request(&setup, "energy");
    line.handle_bytes(0, 2400, &request[..14]);
    line.handle_bytes(1000 * MS, 2400, &request);
    count_in(&setup, "energy", &bytes(&play(&mut line, 2400)));
}
