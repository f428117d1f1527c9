use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rumqttc::mqttbytes::QoS;
use rumqttc::{Client, Event, Incoming, MqttOptions, Publish};

/// Requests of the subscriber to its client: it makes one. When it is full the subscriber waits.
const CLIENT_QUEUE: usize = 4;
/// The largest message that is taken.
const MAX_PACKET_BYTES: usize = 1024 * 1024;
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// A subscriber to everything of Weighbridge at QoS 1 with a persistent session: what comes while it or the broker is away comes
/// later. It connects again by itself.
#[derive(Debug)]
pub struct Subscriber {
    received: Arc<Mutex<Vec<Message>>>,
    subscribed: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

/// One message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its content.
    pub payload: Vec<u8>,
    /// Whether the broker had kept it from before.
    pub retained: bool,
}

impl Message {
    /// The content as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.payload);
        serde_json::from_slice(&self.payload).unwrap_or_else(|why| panic!("{}: {why} in {text}", self.topic))
    }
}

impl Subscriber {
    /// Subscribes under a name, and waits until the broker has taken the subscription.
    pub fn start(broker: SocketAddr, name: &str) -> Self {
        let (received, subscribed, ended) =
            (Arc::default(), Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let listening = Listening {
            broker,
            name: name.to_owned(),
            received: Arc::clone(&received),
            subscribed: subscribed.clone(),
            ended: ended.clone(),
        };
        std::thread::spawn(move || listening.run());
        let subscriber = Self { received, subscribed, ended };
        crate::until("the subscription", || subscriber.subscribed.load(Ordering::Relaxed).then_some(()));
        subscriber
    }

    /// All that has come so far, in order.
    pub fn received(&self) -> Vec<Message> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // Its thread sees it with the next event: a ping at the latest.
        self.ended.store(true, Ordering::Relaxed);
    }
}

struct Listening {
    broker: SocketAddr,
    name: String,
    received: Arc<Mutex<Vec<Message>>>,
    subscribed: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl Listening {
    fn run(&self) {
        while !self.ended.load(Ordering::Relaxed) {
            self.connection();
            std::thread::sleep(PAUSE);
        }
    }

    /// A new client for each connection; the session is the broker's.
    fn connection(&self) {
        let mut options =
            MqttOptions::new(self.name.clone(), (self.broker.ip().to_string(), self.broker.port()));
        options
            .set_clean_session(false)
            .set_keep_alive(10)
            .set_max_packet_size(MAX_PACKET_BYTES, MAX_PACKET_BYTES);
        let (client, mut connection) = Client::builder(options).capacity(CLIENT_QUEUE).build();
        if client.subscribe("weighbridge/#", QoS::AtLeastOnce).is_err() {
            return;
        }
        while !self.ended.load(Ordering::Relaxed) {
            match connection.recv() {
                Ok(Ok(Event::Incoming(Incoming::Publish(publish)))) => self.note(&publish),
                Ok(Ok(Event::Incoming(Incoming::SubAck(_)))) => {
                    self.subscribed.store(true, Ordering::Relaxed)
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    fn note(&self, publish: &Publish) {
        let message = Message {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload.to_vec(),
            retained: publish.retain,
        };
        self.received.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }
}
