//! The wiring: which tasks there are, what flows between them, and in which order they end. Only here are tasks spawned.
//!
//! ```text
//! link tasks --replies--> buffer --stored (newest sequence)--> live values, aggregate, publisher
//!                                                              each pulls readings from the buffer at its own pace
//! ```
//!
//! The end goes the same way: the links stop, the buffer stores what they sent, the batches take it in, the publisher hands
//! over what it can, and then the page goes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use weighbridge_config::site::Site;

use crate::aggregate::counter::CounterRule;
use crate::aggregate::{self, Ledger, Measured, QUEUE_COMMANDS};
use crate::board::{Board, Live, LiveChannel};
use crate::buffer::{self, QUEUE_REPLIES, Store, StoreError};
use crate::clock::{Clock, iso8601};
use crate::link::{self, Bus, Statistics};
use crate::publish::Publisher;
use crate::reading::{ChannelId, ChannelRecord};
use crate::web::{self, Server};

/// How often the wall clock is looked at.
const WALL_CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// How long the end waits for the broker. What it has not acknowledged by then stays in the buffer for the next start.
const LONGEST_FAREWELL: Duration = Duration::from_secs(20);

/// What the agent needs to start.
#[derive(Debug)]
pub struct Setup {
    /// The site.
    pub site: Site,
    /// Folder to which paths in the site file are relative.
    pub folder: PathBuf,
    /// The clock.
    pub clock: Clock,
    /// Whether the plant behind the wires is simulated.
    pub demo: bool,
}

/// The running agent.
#[derive(Debug)]
pub struct Daemon {
    /// What can be looked at.
    pub board: Board,
    /// Where the page is.
    pub address: SocketAddr,
    /// What commands need.
    pub token: String,
    stop_links: watch::Sender<bool>,
    stop_publisher: watch::Sender<bool>,
    /// End by themselves once the links have stopped.
    chain: JoinSet<&'static str>,
    publisher: JoinSet<&'static str>,
    wall_clock: Companion,
    server: JoinSet<&'static str>,
}

/// Starts every task of the agent.
///
/// # Errors
/// When the buffer cannot be opened, a file that the site names cannot be read, or the page's address is taken.
pub async fn start(setup: Setup) -> anyhow::Result<Daemon> {
    let Setup { site, folder, clock, demo } = setup;
    let site = Arc::new(site);
    let store = open_store(&folder.join(&site.buffer.path), &clock)?;
    let server = Server::bind(site.http.listen).await?;
    let token = web::command_token(store.folder())?;
    let channels = register_channels(&site, &store)?;

    let (stop_links, links_stop) = watch::channel(false);
    let (stop_publisher, publisher_stop) = watch::channel(false);
    let (replies, waiting) = mpsc::channel(QUEUE_REPLIES);
    let (stored, newest) = watch::channel(store.next_sequence());
    let (commands, queue) = mpsc::channel(QUEUE_COMMANDS);
    let (views, batches) = watch::channel(Arc::default());

    let mut chain = JoinSet::new();
    let mut links = Vec::new();
    for index in 0..site.links.len() {
        let bus = Bus::plan(&site, index, |device, channel| channels[&(device, channel)]);
        let statistics = Arc::new(Statistics::new(&bus, &clock));
        links.push(statistics.clone());
        let task = link::run(bus, clock.clone(), replies.clone(), statistics, links_stop.clone());
        chain.spawn(named("a link", task));
    }
    drop(replies);
    chain.spawn(named("the buffer", buffer::run(store.clone(), clock.clone(), waiting, stored)));

    let live = Arc::new(Live::new(live_channels(&site, &channels)));
    chain.spawn(named("live values", live.clone().run(store.clone(), newest.clone())));
    let ledger = Ledger::open(site.clone(), store.clone(), measured(&site, &channels)?)?;
    chain.spawn(named("batches", aggregate::run(ledger, clock.clone(), newest.clone(), queue, views)));

    let mut publisher_task = JoinSet::new();
    let mut publisher_status = None;
    if let Some(broker) = &site.mqtt {
        let publisher = Publisher::new(&site, broker, &folder, store.clone())?;
        publisher_status = Some(publisher.status());
        publisher_task.spawn(named("the publisher", publisher.run(newest, publisher_stop)));
    }

    let board =
        Board { site, clock: clock.clone(), store, demo, links, publisher: publisher_status, batches, live };
    let address = server.address();
    let mut server_task = JoinSet::new();
    let serving = server.run(board.clone(), commands, token.clone());
    server_task.spawn(async move {
        if let Err(why) = serving.await {
            tracing::error!(%why, "the page's server failed");
        }
        "the page"
    });
    Ok(Daemon {
        board,
        address,
        token,
        stop_links,
        stop_publisher,
        chain,
        publisher: publisher_task,
        wall_clock: Companion::start(watch_wall_clock(clock)),
        server: server_task,
    })
}

impl Daemon {
    /// Waits until a task ends that should not: a fault of ours.
    pub async fn failed(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            Some(ended) = self.chain.join_next() => ended,
            Some(ended) = self.publisher.join_next() => ended,
            Some(ended) = self.server.join_next() => ended,
        };
        match ended {
            Ok(task) => anyhow::anyhow!("{task} ended unexpectedly"),
            Err(panicked) => anyhow::anyhow!("a task failed: {panicked}"),
        }
    }

    /// Stops acquiring, stores and hands over what is there, and ends.
    ///
    /// # Errors
    /// When a task panicked.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop_links.send_replace(true);
        join_all(&mut self.chain).await?;
        self.stop_publisher.send_replace(true);
        match tokio::time::timeout(LONGEST_FAREWELL, join_all(&mut self.publisher)).await {
            Ok(joined) => joined?,
            Err(_) => {
                tracing::warn!("the broker did not take everything in time; the rest stays in the buffer");
                self.publisher.shutdown().await;
            }
        }
        self.server.shutdown().await;
        drop(self.wall_clock);
        Ok(())
    }
}

/// A task beside the agent, such as the simulated plant of the demo; it ends when this is dropped.
#[derive(Debug)]
pub struct Companion(AbortHandle);

impl Companion {
    /// Starts the task.
    pub fn start(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a thread for a component that blocks for as long as the program runs.
///
/// # Errors
/// When the system gives no more threads.
pub fn start_thread(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

async fn join_all(tasks: &mut JoinSet<&'static str>) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended.context("a task failed while the agent was stopping")?;
    }
    Ok(())
}

async fn named(name: &'static str, task: impl Future<Output = ()>) -> &'static str {
    task.await;
    name
}

fn open_store(folder: &std::path::Path, clock: &Clock) -> anyhow::Result<Arc<Store>> {
    let (store, aside) = Store::open(folder, clock.now_utc_us())?;
    if let Some(aside) = aside {
        tracing::error!(
            "the buffer could not be opened and has been set aside in {}; a new one was begun. Keep it for salvage",
            aside.display()
        );
    }
    tracing::info!(epoch = store.epoch(), next = store.next_sequence(), folder = %store.folder().display(), "buffer open");
    Ok(Arc::new(store))
}

type Channels = HashMap<(usize, usize), ChannelId>;

fn register_channels(site: &Site, store: &Store) -> Result<Channels, StoreError> {
    let mut places = Vec::new();
    let mut records = Vec::new();
    for (device_index, device) in site.devices.iter().enumerate() {
        for (index, channel) in device.channels.iter().enumerate() {
            places.push((device_index, index));
            records.push(ChannelRecord::of(device, channel));
        }
    }
    Ok(places.into_iter().zip(store.channel_ids(&records)?).collect())
}

fn live_channels(site: &Site, channels: &Channels) -> Vec<LiveChannel> {
    let of_device = |(device, of_site): (usize, &weighbridge_config::site::Device)| {
        let live = move |channel| LiveChannel { id: channels[&(device, channel)], device, channel };
        (0..of_site.channels.len()).map(live).collect::<Vec<_>>()
    };
    site.devices.iter().enumerate().flat_map(of_device).collect()
}

fn measured(site: &Site, channels: &Channels) -> anyhow::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for (index, device) in site.devices.iter().enumerate() {
        let Some(measure) = &device.measures else { continue };
        let Some(rule) = CounterRule::of(device, measure.channel) else {
            bail!(
                "device `{}` measures with `{}`, which is no counter",
                device.name,
                device.channels[measure.channel].name
            )
        };
        measured.push(Measured { channel: channels[&(index, measure.channel)], device: index, rule });
    }
    Ok(measured)
}

/// Ties a clock that was not set anew, and tells of steps.
async fn watch_wall_clock(clock: Clock) {
    let mut told_us = 0;
    loop {
        tokio::time::sleep(WALL_CLOCK_PERIOD).await;
        let offset_us = clock.observe_wall();
        if (offset_us - told_us).abs() > 1_000_000 {
            told_us = offset_us;
            let ours = iso8601(clock.now_utc_us());
            tracing::warn!(
                offset_ms = offset_us / 1_000,
                ours,
                "the wall clock was stepped; readings keep the agent's own time"
            );
        }
    }
}
