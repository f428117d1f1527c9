//! Mosquitto as broker: whatever becomes of it, every stored reading arrives, and a repeat is known by its identity.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weighbridge::buffer::Store;
use weighbridge_tests::{Message, Mosquitto, Subscriber, TWO_PORTS, two_meters, until};

const STATUS: &str = "weighbridge/bench/gateway-1/status";
const READINGS: &str = "weighbridge/bench/gateway-1/readings";

/// What identifies a reading: gateway, epoch, sequence.
type Identity = (String, u64, u64);

/// What a subscriber got, by identity.
#[derive(Default)]
struct Arrivals {
    /// In order of their first arrival.
    first: Vec<Identity>,
    content: BTreeMap<Identity, Value>,
    repeats: usize,
}

impl Arrivals {
    /// Takes in what came.
    ///
    /// Panics when a repeat differs from what came first.
    fn of(messages: &[Message]) -> Self {
        let mut arrivals = Self::default();
        for message in messages.iter().filter(|message| message.topic == READINGS).map(Message::json) {
            assert_eq!(message["schema"], "weighbridge.readings/1");
            for reading in message["readings"].as_array().unwrap() {
                let gateway = message["gateway"].as_str().unwrap().to_owned();
                arrivals.take(
                    (gateway, message["epoch"].as_u64().unwrap(), reading["sequence"].as_u64().unwrap()),
                    reading,
                );
            }
        }
        arrivals
    }

    fn take(&mut self, identity: Identity, reading: &Value) {
        if let Some(known) = self.content.get(&identity) {
            assert_eq!(known, reading, "a repeat of {identity:?} differs from what came first");
            self.repeats += 1;
        } else {
            self.content.insert(identity.clone(), reading.clone());
            self.first.push(identity);
        }
    }

    fn sequences(&self) -> Vec<u64> {
        self.first.iter().map(|(_, _, sequence)| *sequence).collect()
    }
}

/// Waits until all readings up to `last` have come, then: no hole, first arrivals in order.
fn check_complete(subscriber: &Subscriber, last: u64) -> Arrivals {
    until(&format!("{last} readings at the subscriber"), || {
        (Arrivals::of(&subscriber.received()).first.len() as u64 >= last).then_some(())
    });
    let arrivals = Arrivals::of(&subscriber.received());
    assert_eq!(
        arrivals.sequences(),
        (1..=last).collect::<Vec<_>>(),
        "a hole, or an order that is not the order of storing"
    );
    arrivals
}

#[test]
fn nothing_is_lost_while_the_broker_is_stopped_and_started_again() {
    let mut broker = Mosquitto::started();
    let subscriber = Subscriber::start(broker.address(), "witness");
    let bench = two_meters(Some(broker.address()));
    let _lines = bench.simulate(&TWO_PORTS);
    let mut agent = bench.run();
    agent.has_handed_over(20);
    for _ in 0..2 {
        broker.stop();
        agent.is_connected(false);
        let stored = agent.stored().unwrap();
        agent.has_stored(stored + 60);
        broker.start();
        agent.has_handed_over(stored + 80);
    }
    assert!(agent.program().terminate().success(), "the agent takes its leave");
    let (store, _) = Store::open(&bench.store(), 1).unwrap();
    assert_eq!(store.acknowledged(), store.next_sequence(), "a farewell hands over all that is stored");
    check_complete(&subscriber, store.next_sequence() - 1);
}

#[test]
fn readings_wait_for_a_broker_that_is_not_there_yet() {
    // The subscription is made beforehand: what nobody has subscribed to, a broker throws away.
    let mut broker = Mosquitto::started();
    let subscriber = Subscriber::start(broker.address(), "witness");
    broker.stop();
    let bench = two_meters(Some(broker.address()));
    let _lines = bench.simulate(&TWO_PORTS);
    let agent = bench.run();
    let stored = agent.has_stored(60);
    let status = agent.get("status");
    assert_eq!(
        (&status["mqtt"]["connected"], &status["mqtt"]["acknowledged"]),
        (&json!(false), &json!(0)),
        "{status}"
    );
    assert!(status["mqtt"]["backlog"].as_u64().unwrap() >= stored);
    broker.start();
    agent.has_handed_over(stored);
    check_complete_at_least(&subscriber, stored);
}

/// While the agent goes on: the beginning is complete.
fn check_complete_at_least(subscriber: &Subscriber, last: u64) {
    until(&format!("{last} readings at the subscriber"), || {
        (Arrivals::of(&subscriber.received()).first.len() as u64 >= last).then_some(())
    });
    let sequences = Arrivals::of(&subscriber.received()).sequences();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_a_killed_agent_sends_again_is_recognised() {
    let broker = Mosquitto::started();
    let subscriber = Subscriber::start(broker.address(), "witness");
    let bench = two_meters(Some(broker.address()));
    let _lines = bench.simulate(&TWO_PORTS);
    for round in 1..=4 {
        let mut agent = bench.run();
        agent.has_handed_over(round * 40);
        agent.program().kill();
    }
    // The mark of what has been acknowledged is written lazily; here it is lost altogether, as by a power cut.
    let (store, _) = Store::open(&bench.store(), 1).unwrap();
    let sent_again = store.acknowledged() - 1;
    store.set_acknowledged(1).unwrap();
    drop(store);

    let mut agent = bench.run();
    agent.has_handed_over(sent_again + 40);
    assert!(agent.program().terminate().success());
    let (store, _) = Store::open(&bench.store(), 1).unwrap();
    let arrivals = check_complete(&subscriber, store.next_sequence() - 1);
    let repeats = arrivals.repeats as u64;
    assert!(repeats >= sent_again, "{sent_again} readings were to come again, {repeats} did");
    let epochs: Vec<u64> = arrivals.first.iter().map(|(_, epoch, _)| *epoch).collect();
    assert!(epochs.is_sorted(), "a later reading has a greater epoch");
    let mut runs = epochs.clone();
    runs.dedup();
    assert_eq!(runs.len(), 5, "one epoch for each start: {runs:?}");
}

#[test]
fn documents_are_kept_for_those_who_come_later() {
    let broker = Mosquitto::started();
    let witness = Subscriber::start(broker.address(), "witness");
    let bench = two_meters(Some(broker.address()));
    let _lines = bench.simulate(&TWO_PORTS);
    let agent = bench.run();
    for device in ["smt-meter", "dip-meter"] {
        agent.live(device, "energy_import");
    }
    agent.post(
        "batches/open",
        &json!({ "batch": "B-1", "model": "DTZ-A", "sections": ["smt", "dip"], "author": "test" }),
    );
    let stored = agent.stored().unwrap();
    agent.has_stored(stored + 50);
    agent.post("batches/close", &json!({ "batch": "B-1", "good": 90, "rejected": 2, "author": "test" }));
    until("the document of B-1", || {
        let batches = agent.get("batches");
        (batches[0]["revision"].as_u64()? > 0).then_some(())
    });
    let topic = "weighbridge/bench/gateway-1/batches/B-1";
    until("the document at the broker", || newest(&witness, topic));

    let late = Subscriber::start(broker.address(), "late");
    let document = until("the kept document", || newest(&late, topic));
    assert!(document.retained);
    let document = document.json();
    assert_eq!(document["schema"], "weighbridge.primary-data/1");
    assert_eq!(document["output"], json!({ "good": 90, "rejected": 2 }));
    assert_eq!(document["amounts"].as_array().unwrap().len(), 2);
}

#[test]
fn the_broker_tells_whether_the_gateway_is_there() {
    let broker = Mosquitto::started();
    let subscriber = Subscriber::start(broker.address(), "witness");
    let bench = two_meters(Some(broker.address()));
    let mut agent = bench.run();
    check_state(&subscriber, "online");
    agent.program().kill();
    check_state(&subscriber, "lost");
    let mut agent = bench.run();
    check_state(&subscriber, "online");
    assert!(agent.program().terminate().success());
    check_state(&subscriber, "offline");

    // The last word stands for those who come later: no will follows the farewell.
    let late = Subscriber::start(broker.address(), "late");
    until("the kept state", || newest(&late, STATUS));
    assert_eq!(newest(&late, STATUS).unwrap().json()["state"], "offline");
}

fn newest(subscriber: &Subscriber, topic: &str) -> Option<Message> {
    subscriber.received().into_iter().rev().find(|message| message.topic == topic)
}

fn check_state(subscriber: &Subscriber, state: &str) {
    until(&format!("the state `{state}`"), || {
        (newest(subscriber, STATUS)?.json()["state"] == state).then_some(())
    });
}
