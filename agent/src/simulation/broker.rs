//! The demo's MQTT broker (rumqttd, inside the process) and a subscriber that counts what arrives.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rumqttd::local::LinkRx;
use rumqttd::{Broker, Config, ConnectionSettings, Notification, RouterConfig, ServerSettings};
use tokio::net::TcpStream;

use crate::aggregate::document::PrimaryData;
use crate::daemon::{self, Companion};
use crate::publish::ReadingsMessage;

const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Messages that the broker keeps for a slow subscriber before it drops the oldest: hours of the demo.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
const KEPT_SEGMENTS: usize = 8;

/// What a subscriber has received.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages with readings.
    pub messages: u64,
    /// How often each reading came, by (gateway, epoch, sequence).
    readings: HashMap<(String, u32, u64), u32>,
    /// The newest revision of each document, by batch.
    pub documents: BTreeMap<String, PrimaryData>,
    /// Payloads that could not be read.
    pub unreadable: u64,
}

impl Tally {
    /// Different readings received.
    pub fn received(&self) -> u64 {
        self.readings.len() as u64
    }

    /// Readings received more than once.
    pub fn duplicated(&self) -> u64 {
        self.readings.values().filter(|times| **times > 1).count() as u64
    }

    fn note(&mut self, topic: &str, payload: &[u8]) {
        let noted = if topic.ends_with("/readings") {
            self.note_readings(payload)
        } else if topic.contains("/batches/") {
            serde_json::from_slice::<PrimaryData>(payload).map(|document| {
                self.documents.insert(document.batch.clone(), document);
            })
        } else {
            Ok(())
        };
        self.unreadable += u64::from(noted.is_err());
    }

    fn note_readings(&mut self, payload: &[u8]) -> serde_json::Result<()> {
        let message: ReadingsMessage = serde_json::from_slice(payload)?;
        self.messages += 1;
        for reading in &message.readings {
            *self.readings.entry((message.gateway.clone(), message.epoch, reading.sequence)).or_default() +=
                1;
        }
        Ok(())
    }
}

/// A running broker with one subscriber to everything of Weighbridge.
#[derive(Debug)]
pub struct DemoBroker {
    /// Where it listens.
    pub address: SocketAddr,
    tally: Arc<Mutex<Tally>>,
    _subscriber: Companion,
}

impl DemoBroker {
    /// Starts the broker on a free port of loopback and waits until it accepts connections.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut broker = Broker::new(config(address));
        let (mut requests, notifications) =
            broker.link("weighbridge-demo-subscriber").context("no link into the broker")?;
        requests.subscribe("weighbridge/#").context("the broker does not take a subscription")?;
        let tally = Arc::new(Mutex::new(Tally::default()));
        let subscriber = Companion::start(subscribe(notifications, tally.clone()));
        daemon::start_thread("mqtt-broker", move || {
            // Dropping this half would end the subscription.
            let _requests = requests;
            if let Err(why) = broker.start() {
                tracing::error!(%why, "the embedded broker failed");
            }
        })?;
        until_open(address).await?;
        Ok(Self { address, tally, _subscriber: subscriber })
    }

    /// A copy of what the subscriber has received.
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn subscribe(mut notifications: LinkRx, tally: Arc<Mutex<Tally>>) {
    loop {
        match notifications.next().await {
            Ok(Some(Notification::Forward(forward))) => {
                let topic = String::from_utf8_lossy(&forward.publish.topic).into_owned();
                tally.lock().unwrap_or_else(PoisonError::into_inner).note(&topic, &forward.publish.payload);
            }
            // The broker holds back after a batch until it is told that there is room again.
            Ok(Some(Notification::Unschedule)) => {
                if notifications.wake().await.is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: MAX_PAYLOAD_BYTES,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings {
        name: "demo".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let router = RouterConfig {
        max_connections: 16,
        max_outgoing_packet_count: 200,
        max_segment_size: KEPT_BYTES,
        max_segment_count: KEPT_SEGMENTS,
        ..RouterConfig::default()
    };
    Config { router, v4: Some(HashMap::from([("demo".to_owned(), server)])), ..Config::default() }
}

/// The broker cannot tell which port it got, so a free one is found for it.
fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The broker says Ok even when it could not listen, so it is asked.
async fn until_open(address: SocketAddr) -> anyhow::Result<()> {
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the embedded broker does not listen on {address}")
}
