//! `weighbridge demo`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use weighbridge_config::site::{Mqtt, Site};
use weighbridge_config::{ProfileLibrary, Site as ParsedSite};

use super::table::table;
use super::{FAILED, SUCCESS, interrupted, log, print, print_json, runtime};
use crate::clock::Clock;
use crate::daemon::{self, Daemon, Setup};
use crate::simulation::broker::DemoBroker;
use crate::simulation::verdict::{self, Comparison, Evidence, Verdict};
use crate::simulation::{Faults, World, mes};

/// The site that the repository ships and explains; the demo is this file on simulated lines.
const SITE: &str = include_str!("../../../examples/meter-factory.toml");
const SITE_NAME: &str = "examples/meter-factory.toml";

/// Where the page is looked for first.
const USUAL_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8645);
/// Plant time before the first batch, so that every counter has been read before it.
const RUN_UP_US: i64 = 40_000_000;
/// Plant time after the last batch, so that every counter is read behind it.
const RUN_OUT_US: i64 = 60_000_000;
/// Plant time between these within which a batch opens and closes for certain.
const LEAST_PLAN_US: i64 = 560_000_000;
/// Real time that documents and messages get to arrive after the end.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(50);

/// The whole thing with nothing else installed: a simulated factory on lines with real timing, broker, agent and page
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  weighbridge demo                        runs until Ctrl-C; open the page that it names
  weighbridge demo --for 60s --json       ends by itself with measured against true figures; exit code 1 if they disagree
  weighbridge demo --seed 7 --faults none")]
pub(super) struct Demo {
    /// Ends by itself after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// The verdict as JSON
    #[arg(long)]
    json: bool,
    /// What plant, instruments and lines are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than real time the plant lives; wires keep their real timing
    #[arg(long, default_value_t = 20.0, value_parser = speed)]
    speed: f64,
    /// What goes wrong on the lines
    #[arg(long, value_enum, default_value_t = Faults::ShopFloor)]
    faults: Faults,
    /// Where the page listens [default: 127.0.0.1:8645, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Keeps the buffer in this folder afterwards
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// Above 40, a 10 s period is over before the slowest line has gone round.
fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (1.0..=40.0).contains(&speed) => Ok(speed),
        _ => Err("give a number from 1 to 40".to_owned()),
    }
}

impl Demo {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        log("warn,rumqttd=off,weighbridge=warn");
        self.check_duration()?;
        let temporary = tempfile::tempdir().context("cannot make a folder for the demo's buffer")?;
        let folder = self.keep.clone().unwrap_or_else(|| temporary.path().to_path_buf());
        let verdict = runtime()?.block_on(self.play(folder))?;
        if self.json {
            print_json(&verdict)?;
        } else {
            print(&describe(&verdict));
        }
        verdict.failures.iter().for_each(|failure| eprintln!("error: {failure}"));
        Ok(if verdict.ok { SUCCESS } else { FAILED })
    }

    /// A demo that ends before its first batch would prove nothing.
    fn check_duration(&self) -> anyhow::Result<()> {
        let least_us = (RUN_UP_US + LEAST_PLAN_US + RUN_OUT_US) as f64 / self.speed;
        let least = Duration::from_secs_f64((least_us / 1e6).ceil());
        match self.duration {
            Some(duration) if duration < least => bail!(
                "{} are too short for a batch at {} times real time; give `--for {}` or more",
                humantime::format_duration(duration),
                self.speed,
                humantime::format_duration(least),
            ),
            _ => Ok(()),
        }
    }

    async fn play(&self, folder: PathBuf) -> anyhow::Result<Verdict> {
        let started = Clock::system();
        let start_utc_us = started.now_utc_us();
        let clock = Clock::simulated(start_utc_us, self.speed);
        let broker = DemoBroker::start().await?;
        let mut site = self.site(&folder, broker.address)?;
        let world = World::open(&mut site, self.seed, self.faults, &clock, false)?;
        let mut daemon = daemon::start(Setup { site, folder, clock: clock.clone(), demo: true }).await?;
        self.greet(&daemon);

        let end_utc_us = self.duration.map(|duration| start_utc_us + clock.span_us(duration));
        let batches = (start_utc_us + RUN_UP_US, end_utc_us.map_or(i64::MAX, |end| end - RUN_OUT_US));
        let (address, token) = (daemon.address, daemon.token.clone());
        let ending = async {
            match end_utc_us {
                Some(end) => tokio::time::sleep_until(clock.instant_at(end)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ending => {}
            stopped = interrupted() => stopped?,
            failed = daemon.failed() => return Err(failed),
            followed = follow_for_ever(&world, &clock, address, &token, batches) => followed?,
        }
        let closed_batches = settle(&daemon).await?;
        let footprint = daemon.board.footprint()?;
        let store = daemon.board.store.clone();
        daemon.stop().await?;
        wait_until(|| broker.tally().received() >= store.next_sequence() - 1).await;
        wait_until(|| broker.tally().documents.len() >= closed_batches).await;
        let seconds = (started.now_utc_us() - start_utc_us) as f64 / 1e6;
        let (seed, speed, tally) = (self.seed, self.speed, broker.tally());
        let evidence = Evidence {
            seed,
            seconds,
            speed,
            store: &store,
            tally: &tally,
            world: &world,
            closed_batches,
            footprint,
        };
        Ok(verdict::judge(evidence)?)
    }

    /// The shipped site with the demo's broker, buffer and address.
    fn site(&self, folder: &std::path::Path, broker: SocketAddr) -> anyhow::Result<Site> {
        let mut site = ParsedSite::parse(SITE_NAME, SITE, &ProfileLibrary::shipped())
            .map_err(|faults| anyhow::anyhow!("{SITE_NAME}: {}", faults.0[0].message))?
            .site;
        site.mqtt = Some(Mqtt {
            host: broker.ip().to_string(),
            port: broker.port(),
            tls: false,
            credentials: None,
            ca: None,
        });
        site.buffer.path = folder.join("buffer").display().to_string();
        site.http.listen = match self.listen {
            Some(address) => address,
            None if std::net::TcpListener::bind(USUAL_ADDRESS).is_ok() => USUAL_ADDRESS,
            None => (Ipv4Addr::LOCALHOST, 0).into(),
        };
        Ok(site)
    }

    fn greet(&self, daemon: &Daemon) {
        eprintln!("The factory runs at {} times real time (seed {}). Look at it at", self.speed, self.seed);
        eprintln!("\n    http://{}/\n", daemon.address);
        match self.duration {
            Some(duration) => eprintln!("It ends by itself after {}.", humantime::format_duration(duration)),
            None => eprintln!("Ctrl-C ends it with a verdict."),
        }
    }
}

/// The plan of the plant; when it is through, the demo goes on without batches.
async fn follow_for_ever(
    world: &World,
    clock: &Clock,
    agent: SocketAddr,
    token: &str,
    span: (i64, i64),
) -> anyhow::Result<()> {
    mes::follow(&world.plant, clock, agent, token, span).await?;
    std::future::pending().await
}

/// Waits until every closed batch has its document; their number.
async fn settle(daemon: &Daemon) -> anyhow::Result<usize> {
    let done = || {
        let batches = daemon.board.batches();
        let mut closed = batches.iter().filter(|batch| batch.closed.is_some());
        closed.all(|batch| batch.revision > 0)
    };
    if !wait_until(done).await {
        bail!("a closed batch got no document within {} s", PATIENCE.as_secs());
    }
    Ok(daemon.board.batches().iter().filter(|batch| batch.closed.is_some()).count())
}

/// Looks again and again until something holds; false when patience is over.
async fn wait_until(holds: impl Fn() -> bool) -> bool {
    let looking = async {
        while !holds() {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.is_ok()
}

fn describe(verdict: &Verdict) -> String {
    let mut text = String::new();
    for model in &verdict.models {
        text += &format!("\n{}: {} batches, {} good pieces\n", model.model, model.batches, model.good);
        let mut rows = table(
            &["carrier", "section", "measured", "true", "difference", "U (k=2)", "unit", ""],
            &[2, 3, 4, 5],
        );
        for amount in &model.amounts {
            rows.add_row(cells(amount));
        }
        text += &rows.to_string();
    }
    let mut rows = table(&["model", "E per piece", "U (k=2)", "unit"], &[1, 2]);
    for model in &verdict.footprint.models {
        let report = model.report.as_ref();
        let of = |number: Option<&String>| number.map_or_else(|| "—".to_owned(), Clone::clone);
        let (e, u) = (of(report.map(|report| &report.value)), of(report.map(|report| &report.expanded)));
        rows.add_row([model.model.clone(), e, u, "kgCO2e".to_owned()]);
    }
    let (readings, agreement) = (&verdict.readings, &verdict.agreement);
    text + &format!(
        "\n\nFootprint of the production stage\n{rows}\n\n\
         readings: {} taken ({} of them without a value), {} received, {} lost, {} doubled, {} acknowledged in {} messages\n\
         amounts: {} of {} within U (k = 2); {} misses may be expected at worst\n\
         verdict: {}",
        readings.taken,
        readings.bad,
        readings.received,
        readings.lost,
        readings.duplicated,
        readings.acknowledged,
        readings.published_messages,
        agreement.within,
        agreement.amounts,
        agreement.allowed_misses,
        if verdict.ok { "measured and true figures agree; nothing was lost or doubled" } else { "FAILED" },
    )
}

fn cells(amount: &Comparison) -> [String; 8] {
    let number = |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| format!("{value:.4}"));
    [
        amount.carrier.clone(),
        amount.section.clone(),
        number(amount.measured.as_ref().and_then(|text| text.parse().ok())),
        number(Some(amount.truth)),
        number(amount.difference),
        number(amount.expanded),
        amount.unit.clone(),
        if amount.within { String::new() } else { "outside U".to_owned() },
    ]
}
