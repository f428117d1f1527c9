//! The connection to one broker, MQTT 3.1.1 at QoS 1. This file alone knows rumqttc.
//!
//! The buffer is the only truth. Every connection starts from what the broker has acknowledged so far and hands messages over in
//! order; the mark moves only when the PUBACK of a message and of all before it has come. After any fault the whole client
//! is thrown away, so nothing inside it can be lost or mixed up: what was under way is sent again, recognisable by its sequence.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use backon::{BackoffBuilder, ExponentialBuilder};
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::LastWill;
use rumqttc::{
    AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishNoticeError, PublishOptions,
    TlsConfiguration, Transport,
};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use weighbridge_config::site::{Mqtt, Site};

use super::json::Packer;
use crate::aggregate::document::PrimaryData;
use crate::buffer::{Store, StoreError};

/// Messages under way at once: enough to hide a round trip of a second at ten thousand readings a second.
const MESSAGES_UNDER_WAY: usize = 16;
/// Publish requests between the feeder and rumqttc's event loop; the feeder stops at [`MESSAGES_UNDER_WAY`] before it is full.
const CLIENT_QUEUE: usize = 32;
/// The largest packet taken or sent.
const MAX_PACKET_BYTES: usize = 1024 * 1024;
const KEEP_ALIVE_S: u16 = 20;
/// How long the end of the agent waits for the broker to acknowledge what is left.
const FAREWELL: Duration = Duration::from_secs(5);
/// No acknowledgement for this long while messages are under way: the broker is there but does not serve.
const STALLED: Duration = Duration::from_secs(30);

/// How the connection stands, for the page.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct PublishStatus {
    /// Whether the broker has accepted the connection.
    pub connected: bool,
    /// Connections made since the start.
    pub connections: u64,
    /// Messages acknowledged since the start.
    pub messages: u64,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// Publishes one site to one broker.
#[derive(Debug)]
pub struct Publisher {
    broker: Mqtt,
    options: MqttOptions,
    store: Arc<Store>,
    packer: Packer,
    topics: Topics,
    status: Arc<Mutex<PublishStatus>>,
}

#[derive(Debug)]
struct Topics {
    readings: String,
    batches: String,
    status: String,
}

/// What a message under way moves when it is acknowledged.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Readings(u64),
    Documents(u64),
    Nothing,
}

impl Publisher {
    /// A publisher for the broker of a site; files that the site names are read relative to `folder`.
    ///
    /// # Errors
    /// When a credentials or certificate file cannot be read or the store cannot.
    pub fn new(site: &Site, broker: &Mqtt, folder: &Path, store: Arc<Store>) -> anyhow::Result<Self> {
        let base = format!("weighbridge/{}/{}", site.name, site.gateway);
        let topics = Topics {
            readings: format!("{base}/readings"),
            batches: format!("{base}/batches"),
            status: format!("{base}/status"),
        };
        let client_id = format!("weighbridge-{}-{}", site.name, site.gateway);
        let will = status_json("lost", store.epoch());
        let mut options = options(client_id, broker, folder)?;
        options.set_last_will(LastWill::new(&topics.status, will, QoS::AtLeastOnce, true));
        let channels = store.channels()?.into_iter().collect();
        let packer = Packer { site: site.name.clone(), gateway: site.gateway.clone(), channels };
        Ok(Self { broker: broker.clone(), options, store, packer, topics, status: Arc::default() })
    }

    /// The shared view of how the connection stands.
    pub fn status(&self) -> Arc<Mutex<PublishStatus>> {
        self.status.clone()
    }

    /// Publishes until `stop` turns true, then says farewell: what is stored is still handed over while the broker takes it.
    pub async fn run(self, stored: watch::Receiver<u64>, mut stop: watch::Receiver<bool>) {
        let pauses = || {
            let most = Duration::from_secs(30);
            ExponentialBuilder::new()
                .with_min_delay(Duration::from_millis(250))
                .with_max_delay(most)
                .with_jitter()
        };
        let mut pause = pauses().without_max_times().build();
        while !*stop.borrow() {
            let before = lock(&self.status).messages;
            let ended = self.connection(stored.clone(), stop.clone()).await;
            lock(&self.status).connected = false;
            match ended {
                Ok(()) => return,
                Err(why) => {
                    tracing::warn!(broker = %self.broker.host, %why, "no connection to the broker; readings wait in the buffer");
                    lock(&self.status).last_error = Some(why.to_string());
                }
            }
            if lock(&self.status).messages > before {
                pause = pauses().without_max_times().build();
            }
            let wait = pause.next().unwrap_or(Duration::from_secs(30));
            let _ = timeout(wait, stop.wait_for(|stop| *stop)).await;
        }
    }

    /// One connection from CONNECT to its end; `Ok` only after a farewell.
    async fn connection(
        &self,
        stored: watch::Receiver<u64>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let (client, events) = AsyncClient::builder(self.options.clone()).capacity(CLIENT_QUEUE).build();
        let (accepted, acceptance) = oneshot::channel();
        let mut driven = pin!(drive(events, accepted));
        tokio::select! {
            lost = &mut driven => Err(lost),
            fed = self.feed(client, acceptance, stored, stop) => {
                fed?;
                // DISCONNECT is still to be sent, or the broker would publish the last will behind the farewell.
                let _ = timeout(FAREWELL, driven).await;
                Ok(())
            }
        }
    }

    async fn feed(
        &self,
        client: AsyncClient,
        acceptance: oneshot::Receiver<()>,
        mut stored: watch::Receiver<u64>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        acceptance.await.context("the broker did not accept the connection")?;
        self.note_connected();
        let mut handover = Handover::begin(self, client).await?;
        let mut stalled = Box::pin(tokio::time::sleep(STALLED));
        let mut waits_for = None;
        loop {
            while handover.send_next().await? {}
            if waits_for != handover.waits_for() {
                waits_for = handover.waits_for();
                stalled = Box::pin(tokio::time::sleep(STALLED));
            }
            let farewell = *stop.borrow();
            if handover.under_way.is_empty()
                && farewell
                && self.store.next_sequence() <= handover.next_reading
            {
                let said = timeout(FAREWELL, handover.say_farewell()).await;
                return said.context("the broker did not acknowledge the farewell")?;
            }
            tokio::select! {
                acknowledged = handover.acknowledged(), if !handover.under_way.is_empty() => acknowledged?,
                changed = stored.changed(), if changed_is_of_use(&stored) => { changed.ok(); }
                _ = stop.changed(), if !farewell => {}
                () = &mut stalled, if waits_for.is_some() => anyhow::bail!("the broker acknowledges nothing"),
                () = tokio::time::sleep(FAREWELL), if farewell => anyhow::bail!("the broker did not acknowledge the last messages"),
            }
        }
    }

    fn note_connected(&self) {
        let mut status = lock(&self.status);
        status.connected = true;
        status.connections += 1;
        status.last_error = None;
        tracing::info!(broker = %self.broker.host, port = self.broker.port, "connected to the broker");
    }
}

/// A closed channel would be ready for ever.
fn changed_is_of_use(stored: &watch::Receiver<u64>) -> bool {
    stored.has_changed().is_ok()
}

/// Keeps rumqttc going until the connection is lost.
async fn drive(mut events: EventLoop, accepted: oneshot::Sender<()>) -> anyhow::Error {
    let mut accepted = Some(accepted);
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                accepted.take().map(|accepted| accepted.send(()));
            }
            Ok(_) => {}
            Err(why) => return why.into(),
        }
    }
}

/// Messages on their way over one connection, in order.
struct Handover<'a> {
    publisher: &'a Publisher,
    client: AsyncClient,
    next_reading: u64,
    next_document: u64,
    acknowledged: u64,
    under_way: VecDeque<(Mark, Acknowledgement)>,
}

/// Kept between waits, since a wait may be interrupted by something else to do.
type Acknowledgement = Pin<Box<dyn Future<Output = Result<(), PublishNoticeError>> + Send>>;

impl<'a> Handover<'a> {
    async fn begin(publisher: &'a Publisher, client: AsyncClient) -> anyhow::Result<Self> {
        let next_reading = publisher.store.acknowledged();
        let next_document = publisher.store.documents_acknowledged()?;
        let mut handover = Self {
            publisher,
            client,
            next_reading,
            next_document,
            acknowledged: 0,
            under_way: VecDeque::new(),
        };
        let birth = status_json("online", publisher.store.epoch());
        handover.publish(&publisher.topics.status, birth, true, Mark::Nothing).await?;
        Ok(handover)
    }

    /// Which message's acknowledgement is awaited.
    fn waits_for(&self) -> Option<u64> {
        (!self.under_way.is_empty()).then_some(self.acknowledged)
    }

    /// Hands the next message over, documents first; false when there is none or enough are under way.
    async fn send_next(&mut self) -> anyhow::Result<bool> {
        if self.under_way.len() >= MESSAGES_UNDER_WAY {
            return Ok(false);
        }
        let waiting = self.publisher.store.documents_from::<PrimaryData>(self.next_document).next();
        if let Some((number, document)) = waiting.transpose()? {
            let topic = format!("{}/{}", self.publisher.topics.batches, document.batch);
            self.publish(&topic, serde_json::to_vec(&document)?, true, Mark::Documents(number + 1)).await?;
            self.next_document = number + 1;
            return Ok(true);
        }
        let stored = self.publisher.store.next_sequence();
        if self.next_reading >= stored {
            return Ok(false);
        }
        let Some((json, next)) = self.publisher.packer.pack(&self.publisher.store, self.next_reading)? else {
            // All that was left is damaged; the packer has told of it.
            self.next_reading = stored;
            return Ok(false);
        };
        self.publish(&self.publisher.topics.readings, json, false, Mark::Readings(next)).await?;
        self.next_reading = next;
        Ok(true)
    }

    async fn publish(
        &mut self,
        topic: &str,
        payload: Vec<u8>,
        retain: bool,
        mark: Mark,
    ) -> anyhow::Result<()> {
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        let notice = self.client.publish_tracked(topic.to_owned(), payload, options).await?;
        self.under_way.push_back((mark, Box::pin(notice.wait_completion_async())));
        Ok(())
    }

    /// Waits for the oldest message's acknowledgement and moves the mark. Acknowledgements that came out of order wait in their
    /// notices, so the mark only ever covers an unbroken beginning.
    async fn acknowledged(&mut self) -> anyhow::Result<()> {
        let Some((mark, acknowledgement)) = self.under_way.front_mut() else { return Ok(()) };
        let mark = *mark;
        acknowledgement.await?;
        self.under_way.pop_front();
        self.acknowledged += 1;
        self.move_mark(mark)?;
        lock(&self.publisher.status).messages += 1;
        Ok(())
    }

    fn move_mark(&self, mark: Mark) -> Result<(), StoreError> {
        match mark {
            Mark::Readings(next) => self.publisher.store.set_acknowledged(next),
            Mark::Documents(next) => self.publisher.store.set_documents_acknowledged(next),
            Mark::Nothing => Ok(()),
        }
    }

    async fn say_farewell(mut self) -> anyhow::Result<()> {
        let farewell = status_json("offline", self.publisher.store.epoch());
        self.publish(&self.publisher.topics.status, farewell, true, Mark::Nothing).await?;
        while !self.under_way.is_empty() {
            self.acknowledged().await?;
        }
        self.client.disconnect().await?;
        Ok(())
    }
}

fn status_json(state: &str, epoch: u32) -> Vec<u8> {
    serde_json::json!({ "schema": "weighbridge.status/1", "state": state, "epoch": epoch })
        .to_string()
        .into_bytes()
}

fn options(client_id: String, broker: &Mqtt, folder: &Path) -> anyhow::Result<MqttOptions> {
    let mut options = MqttOptions::new(client_id, (broker.host.as_str(), broker.port));
    options
        .set_clean_session(true)
        .set_keep_alive(KEEP_ALIVE_S)
        .set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES)
        .set_inflight(u16::try_from(2 * MESSAGES_UNDER_WAY).unwrap_or(u16::MAX));
    if let Some(file) = &broker.credentials {
        let text = read(folder, file)?;
        let text = String::from_utf8(text).with_context(|| format!("{file} is not text"))?;
        let (user, password) = text
            .trim_end()
            .split_once(':')
            .with_context(|| format!("{file} must hold `user:password` on one line"))?;
        options.set_credentials(user, password.as_bytes().to_vec());
    }
    if broker.tls {
        options.set_transport(tls(broker, folder)?);
    }
    Ok(options)
}

fn tls(broker: &Mqtt, folder: &Path) -> anyhow::Result<Transport> {
    match &broker.ca {
        Some(file) => {
            let ca = read(folder, file)?;
            Ok(Transport::tls_with_config(TlsConfiguration::Simple { ca, alpn: None, client_auth: None }))
        }
        None => Transport::try_tls_with_default_config()
            .context("the system's certificate authorities cannot be read"),
    }
}

fn read(folder: &Path, file: &str) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(file);
    std::fs::read(&path)
        .with_context(|| format!("cannot read {}, which the site file names under [mqtt]", path.display()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
