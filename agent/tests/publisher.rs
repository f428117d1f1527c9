//! The publisher against a broker that misbehaves: acknowledges late, out of order or never, and hangs up in the middle.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod sample;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use weighbridge::buffer::Store;
use weighbridge::publish::{Publisher, ReadingsMessage};
use weighbridge::reading::{ChannelId, Quality, Reading};
use weighbridge_protocol::Raw;

/// Forty messages of 400.
const READINGS: u64 = 16_000;
/// Long enough for the slowest machine; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A window of acknowledgements that does not fill up is sent after this long without another message.
const QUIET: Duration = Duration::from_millis(200);

/// How the broker treats one connection.
#[derive(Clone, Copy)]
struct Manner {
    /// So many messages are awaited, then acknowledged last first.
    window: usize,
    /// This message is never acknowledged, counted from 0; the first is the birth message.
    forgotten: Option<usize>,
    /// It hangs up after so many messages.
    hangs_up_after: Option<usize>,
}

const GOOD: Manner = Manner { window: 1, forgotten: None, hangs_up_after: None };

/// What a packet of MQTT 3.1.1 is, as far as this broker cares.
#[derive(Debug)]
enum Packet {
    Connect,
    Publish { id: u16, topic: String, payload: Vec<u8> },
    Ping,
    Disconnect,
    Other,
}

/// `None` when the client has gone.
async fn read_packet(client: &mut TcpStream) -> Option<Packet> {
    let kind = client.read_u8().await.ok()?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = client.read_u8().await.ok()?;
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.ok()?;
    Some(match kind >> 4 {
        1 => Packet::Connect,
        3 => {
            let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
            Packet::Publish {
                topic: String::from_utf8(body[2..topic_end].to_vec()).unwrap(),
                id: u16::from_be_bytes([body[topic_end], body[topic_end + 1]]),
                payload: body.split_off(topic_end + 2),
            }
        }
        12 => Packet::Ping,
        14 => Packet::Disconnect,
        _ => Packet::Other,
    })
}

async fn accept(listener: &TcpListener) -> TcpStream {
    let (mut client, _) = timeout(PATIENCE, listener.accept()).await.expect("a connection").unwrap();
    assert!(matches!(read_packet(&mut client).await, Some(Packet::Connect)));
    client.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    client
}

/// What the broker has seen and done over all connections.
struct Broker {
    listener: TcpListener,
    store: Arc<Store>,
    acknowledged: BTreeSet<u64>,
}

impl Broker {
    /// Serves one connection; returns when it hangs up, everything is acknowledged, or the client has gone.
    async fn serve(&mut self, manner: Manner) {
        let mut client = accept(&self.listener).await;
        let (mark, mut first, mut count) = (self.store.acknowledged(), None, 0);
        let mut window: Vec<(u16, Vec<u64>)> = Vec::new();
        loop {
            self.check_mark();
            match timeout(QUIET, read_packet(&mut client)).await {
                Err(_) => self.acknowledge(&mut client, &mut window).await,
                Ok(None) => return,
                Ok(Some(Packet::Publish { id, topic, payload })) => {
                    let sequences = sequences(&topic, &payload);
                    first = first.or_else(|| sequences.first().copied());
                    assert_eq!(first.unwrap_or(mark), mark, "each connection begins at the mark");
                    if manner.forgotten != Some(count) {
                        window.push((id, sequences));
                    }
                    count += 1;
                    if window.len() >= manner.window {
                        self.acknowledge(&mut client, &mut window).await;
                    }
                }
                Ok(Some(_)) => {}
            }
            if manner.hangs_up_after == Some(count) || self.store.acknowledged() > READINGS {
                return;
            }
        }
    }

    async fn acknowledge(&mut self, client: &mut TcpStream, window: &mut Vec<(u16, Vec<u64>)>) {
        for (id, sequences) in window.drain(..).rev() {
            self.acknowledged.extend(sequences);
            let [high, low] = id.to_be_bytes();
            // The client may have hung up by now.
            let _ = client.write_all(&[0x40, 2, high, low]).await;
        }
    }

    /// The mark covers an unbroken beginning of what was acknowledged, and no more.
    fn check_mark(&self) {
        let mark = self.store.acknowledged();
        let covered = self.acknowledged.range(..mark).count() as u64;
        assert_eq!(covered, mark - 1, "the mark {mark} has passed something unacknowledged");
    }
}

/// The numbers of a message's readings; none for other messages. They follow each other without holes.
fn sequences(topic: &str, payload: &[u8]) -> Vec<u64> {
    if !topic.ends_with("/readings") {
        return Vec::new();
    }
    let message: ReadingsMessage = serde_json::from_slice(payload).unwrap();
    let numbers: Vec<u64> = message.readings.iter().map(|reading| reading.sequence).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    numbers
}

fn filled_store(folder: &Path, readings: u64) -> Arc<Store> {
    let (store, _) = Store::open(&folder.join("store"), 1_800_000_000_000_000).unwrap();
    let reading = |count: u64| Reading {
        channel: ChannelId(0),
        utc_us: 1_800_000_000_000_000 + i64::try_from(count).unwrap(),
        half_width_us: 10,
        value: Some(Raw::Integer(i64::try_from(count).unwrap())),
        quality: Quality::Good,
    };
    store.append(&(0..readings).map(reading).collect::<Vec<_>>()).unwrap();
    Arc::new(store)
}

/// A publisher at work; it is told to stop through the sender.
struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    _stored: watch::Sender<u64>,
}

impl Running {
    fn start(listener: &TcpListener, folder: &Path, store: &Arc<Store>) -> Self {
        let port = listener.local_addr().unwrap().port();
        let mqtt = format!("[mqtt]\nbroker = \"mqtt://127.0.0.1:{port}\"\n");
        let site = sample::site(&(sample::meter("m1", 1, "front") + &mqtt));
        let publisher = Publisher::new(&site, site.mqtt.as_ref().unwrap(), folder, store.clone()).unwrap();
        let (stored_sender, stored) = watch::channel(store.next_sequence());
        let (stop, stopped) = watch::channel(false);
        Self { task: tokio::spawn(publisher.run(stored, stopped)), stop, _stored: stored_sender }
    }

    async fn ends(self) {
        self.stop.send_replace(true);
        timeout(PATIENCE, self.task).await.expect("the publisher ends when it is told to").unwrap();
    }
}

#[tokio::test]
async fn the_mark_never_passes_what_is_unacknowledged_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_store(folder.path(), READINGS);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::start(&listener, folder.path(), &store);
    let mut broker = Broker { listener, store: store.clone(), acknowledged: BTreeSet::new() };
    let manners = [
        Manner { window: 100, forgotten: None, hangs_up_after: Some(9) },
        Manner { window: 1, forgotten: Some(1), hangs_up_after: Some(12) },
        Manner { window: 5, forgotten: None, hangs_up_after: Some(11) },
        Manner { window: 3, forgotten: Some(7), hangs_up_after: Some(20) },
        Manner { window: 1, forgotten: None, hangs_up_after: Some(1) },
        Manner { window: 16, forgotten: None, hangs_up_after: Some(17) },
        Manner { window: 4, ..GOOD },
    ];
    for manner in manners {
        timeout(PATIENCE, broker.serve(manner)).await.expect("progress");
    }
    assert_eq!(store.acknowledged(), READINGS + 1);
    assert_eq!(broker.acknowledged.len() as u64, READINGS);
    running.task.abort();
}

/// Serves a client that is told to stop once it has said all; gives back what came from then on.
async fn farewell(acknowledges: bool) -> Vec<Packet> {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_store(folder.path(), 10);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::start(&listener, folder.path(), &store);
    let mut broker = Broker { listener, store: store.clone(), acknowledged: BTreeSet::new() };
    let mut client = accept(&broker.listener).await;
    while store.acknowledged() <= 10 {
        if let Ok(Some(Packet::Publish { id, topic, payload })) =
            timeout(QUIET, read_packet(&mut client)).await
        {
            broker.acknowledge(&mut client, &mut vec![(id, sequences(&topic, &payload))]).await;
        }
    }
    let watching = tokio::spawn(async move {
        let mut packets = Vec::new();
        while let Some(packet) = read_packet(&mut client).await {
            if let (Packet::Publish { id, .. }, true) = (&packet, acknowledges) {
                broker.acknowledge(&mut client, &mut vec![(*id, Vec::new())]).await;
            }
            if matches!(packet, Packet::Ping) {
                client.write_all(&[0xd0, 0]).await.unwrap();
            }
            packets.push(packet);
        }
        packets
    });
    running.ends().await;
    watching.await.unwrap()
}

/// Without DISCONNECT the broker would publish the last will behind the farewell: "lost" for an agent that was stopped.
#[tokio::test]
async fn a_stopped_agent_says_offline_and_disconnects() {
    let packets = farewell(true).await;
    let told = packets.iter().any(|packet| {
        matches!(packet, Packet::Publish { topic, payload, .. }
            if topic.ends_with("/status") && String::from_utf8_lossy(payload).contains("offline"))
    });
    assert!(told, "{packets:?}");
    assert!(matches!(packets.last(), Some(Packet::Disconnect)), "{packets:?}");
}

#[tokio::test]
async fn a_broker_that_ignores_the_farewell_holds_nobody() {
    farewell(false).await;
}

#[tokio::test]
async fn a_broker_that_never_accepts_holds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled_store(folder.path(), 10);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = Running::start(&listener, folder.path(), &store);
    let (mut client, _) = listener.accept().await.unwrap();
    assert!(matches!(read_packet(&mut client).await, Some(Packet::Connect)));
    running.ends().await;
    assert_eq!(store.acknowledged(), 1);
}
