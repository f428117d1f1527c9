//! Batches, their counters, and the documents that follow.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use weighbridge_config::site::{Device, Instrument, Site};
use weighbridge_protocol::Decimal;

use super::CommandError;
use super::batch::{Batch, BatchCommand, BatchEvent, Batches, Closing};
use super::counter::{Consumption, CounterRule, Track};
use super::document::{Amount, InstrumentReference, Output, Period, PrimaryData, Register, SCHEMA};
use crate::buffer::block::Block;
use crate::buffer::{Store, StoreError};
use crate::clock::iso8601;
use crate::reading::{ChannelId, Quality, Reading};

/// How far back the readings before an opening are looked for. An older counter value says nothing about a batch of today.
const LONGEST_LOOK_BACK_US: i64 = 31 * 86_400 * 1_000_000;
/// How long a closed batch waits for a meter that says nothing any more; what is known then is final. Without an end, every
/// start would read the store again from the first such batch on.
const LONGEST_WAIT_US: i64 = LONGEST_LOOK_BACK_US;
/// How many poll periods a closed batch waits for the readings after its closing before its document goes out without them.
const GRACE_PERIODS: i64 = 6;
/// How many batches the page shows; older ones are in the documents.
const VIEWED_BATCHES: usize = 200;

/// A counter that stands for a carrier in a section.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Identity of the counter in the store.
    pub channel: ChannelId,
    /// Index of the device in the site.
    pub device: usize,
    /// How to understand it.
    pub rule: CounterRule,
}

/// The ledger of one site: pure but for the store, time passed in.
#[derive(Debug)]
pub struct Ledger {
    site: Arc<Site>,
    store: Arc<Store>,
    measured: Vec<Measured>,
    place: HashMap<ChannelId, usize>,
    tracks: Vec<Track>,
    /// The next sequence number to fold in.
    cursor: u64,
    batches: Batches,
    documents: BTreeMap<String, PrimaryData>,
    /// Batches whose document is final for all that is known.
    settled: std::collections::BTreeSet<String>,
    /// Views of settled batches, as last shown.
    finished: HashMap<String, Arc<BatchView>>,
}

/// A batch as the page and the API show it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct BatchView {
    /// Identity.
    pub id: String,
    /// Product model.
    pub model: String,
    /// Sections.
    pub sections: Vec<String>,
    /// ISO 8601 UTC.
    pub opened: String,
    /// ISO 8601 UTC.
    pub closed: Option<String>,
    /// `"open"`; `"closing"` while the readings after the end are awaited; `"closed"`.
    pub state: &'static str,
    /// Pieces that passed.
    pub good: Option<u64>,
    /// Pieces that did not.
    pub rejected: Option<u64>,
    /// Of the newest document; 0 before the first.
    pub revision: u32,
    /// What it drew, or has drawn so far.
    pub amounts: Vec<Amount>,
}

impl Ledger {
    /// Everything as the store has it: events, documents, and the counters of batches that are not settled.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(site: Arc<Site>, store: Arc<Store>, measured: Vec<Measured>) -> Result<Self, StoreError> {
        let batches = Batches::replay(&store.events::<BatchEvent>()?);
        let mut documents = BTreeMap::new();
        for document in store.documents_from::<PrimaryData>(1) {
            let (_, document) = document?;
            documents.insert(document.batch.clone(), document);
        }
        let is_final = |document: &&PrimaryData| document.is_final;
        let settled = documents.values().filter(is_final).map(|document| document.batch.clone()).collect();
        let place = measured.iter().enumerate().map(|(place, measured)| (measured.channel, place)).collect();
        let mut ledger = Self {
            site,
            store,
            measured,
            place,
            tracks: Vec::new(),
            cursor: 1,
            batches,
            documents,
            settled,
            finished: HashMap::new(),
        };
        ledger.recompute()?;
        Ok(ledger)
    }

    /// Takes a command: checked, made durable, applied; an opening or closing in the past is worked out from stored readings.
    ///
    /// # Errors
    /// Why it was refused, or why it could not be stored.
    pub fn handle_command(
        &mut self,
        command: BatchCommand,
        author: String,
        now_utc_us: i64,
    ) -> Result<(), CommandError> {
        self.batches.check(&command, &self.site, now_utc_us)?;
        let (BatchCommand::Open { at_utc_us, .. } | BatchCommand::Close { at_utc_us, .. }) = command;
        let event =
            BatchEvent { number: self.batches.next_number(), recorded_utc_us: now_utc_us, author, command };
        self.store.append_event(event.number, &event)?;
        self.batches.apply(&event);
        let ahead = self.tracks.iter_mut().all(|track| track.handle_boundary(at_utc_us));
        if !ahead {
            self.recompute()?;
        }
        Ok(())
    }

    /// Folds in what has been stored below `upto`.
    ///
    /// # Errors
    /// When the store cannot be read. Damaged blocks are passed over and reported, as the gap that they are.
    pub fn follow(&mut self, upto: u64) -> Result<(), StoreError> {
        if self.cursor >= upto {
            return Ok(());
        }
        for block in self.store.blocks_from(self.cursor) {
            match block {
                Ok(block) => self.fold(&block),
                Err(damaged @ StoreError::Damaged { .. }) => {
                    tracing::error!(%damaged, "a gap in the stored readings")
                }
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    fn fold(&mut self, block: &Block) {
        let passed = usize::try_from(self.cursor.saturating_sub(block.first_sequence)).unwrap_or(usize::MAX);
        for reading in block.readings.iter().skip(passed) {
            if let (Some(place), Quality::Good, Some(value)) =
                (self.place.get(&reading.channel), reading.quality, reading.value)
            {
                self.tracks[*place].handle_reading(reading.utc_us, reading.half_width_us, value);
            }
        }
        self.cursor = self.cursor.max(block.next_sequence());
    }

    /// Starts again from the stored readings before the first batch that is not settled.
    fn recompute(&mut self) -> Result<(), StoreError> {
        let unsettled = self.batches.in_order().into_iter().filter(|batch| !self.settled.contains(&batch.id));
        let boundaries: Vec<i64> = unsettled
            .flat_map(|batch| [Some(batch.opened_utc_us), batch.closing.map(|closing| closing.utc_us)])
            .flatten()
            .collect();
        // The one step that can fail comes first: cursor and counters must not part.
        self.cursor = self.sequence_before(boundaries.iter().min().copied())?;
        self.tracks = self.measured.iter().map(|measured| Track::new(measured.rule.clone())).collect();
        for track in &mut self.tracks {
            boundaries.iter().for_each(|boundary| {
                track.handle_boundary(*boundary);
            });
        }
        self.follow(self.store.next_sequence())
    }

    /// The start of the newest block with which every measured counter has a good reading before a boundary; without one, before
    /// those that are yet to come. A reading at the very boundary needs the one before it all the same: how fast the counter ran
    /// belongs to its uncertainty.
    fn sequence_before(&self, mut boundary_utc_us: Option<i64>) -> Result<u64, StoreError> {
        let mut missing: std::collections::HashSet<ChannelId> = self.place.keys().copied().collect();
        let mut sequence = self.store.next_sequence();
        for block in self.store.blocks_backwards() {
            let block = match block {
                Ok(block) => block,
                Err(StoreError::Damaged { .. }) => continue,
                Err(why) => return Err(why),
            };
            let newest_utc_us = block.readings.iter().map(|reading| reading.utc_us).max().unwrap_or(i64::MAX);
            let utc_us = *boundary_utc_us.get_or_insert(newest_utc_us.saturating_add(1));
            let before = |reading: &&Reading| reading.utc_us < utc_us && reading.quality == Quality::Good;
            block.readings.iter().filter(before).for_each(|reading| {
                missing.remove(&reading.channel);
            });
            sequence = block.first_sequence;
            if missing.is_empty() || newest_utc_us < utc_us.saturating_sub(LONGEST_LOOK_BACK_US) {
                break;
            }
        }
        Ok(sequence)
    }

    /// Stores the documents that have become due or have changed. A document goes out when both ends of every amount are known, or
    /// after a grace without them; what is learnt later goes out as the next revision.
    ///
    /// # Errors
    /// When the store fails.
    pub fn issue_documents(&mut self, now_utc_us: i64) -> Result<(), StoreError> {
        let closed: Vec<(Batch, Closing)> = self
            .batches
            .in_order()
            .into_iter()
            .filter(|batch| !self.settled.contains(&batch.id))
            .filter_map(|batch| Some((batch.clone(), batch.closing?)))
            .collect();
        for (batch, closing) in closed {
            let (amounts, ends_known) = self.amounts(&batch);
            let settled = ends_known || now_utc_us > closing.utc_us.saturating_add(LONGEST_WAIT_US);
            let grace_over = now_utc_us > closing.utc_us.saturating_add(self.grace_us(&batch));
            if settled || grace_over {
                self.issue(&batch, closing, amounts, settled, now_utc_us)?;
            }
            if settled {
                self.settled.insert(batch.id.clone());
            }
        }
        self.forget();
        Ok(())
    }

    fn issue(
        &mut self,
        batch: &Batch,
        closing: Closing,
        amounts: Vec<Amount>,
        is_final: bool,
        now_utc_us: i64,
    ) -> Result<(), StoreError> {
        let before = self.documents.get(&batch.id);
        if before.is_some_and(|before| before.amounts == amounts && before.is_final == is_final) {
            return Ok(());
        }
        let document = PrimaryData {
            schema: SCHEMA.to_owned(),
            site: self.site.name.clone(),
            gateway: self.site.gateway.clone(),
            batch: batch.id.clone(),
            model: batch.model.clone(),
            sections: batch.sections.clone(),
            revision: before.map_or(1, |before| before.revision + 1),
            is_final,
            issued: iso8601(now_utc_us),
            period: Period { from: iso8601(batch.opened_utc_us), to: iso8601(closing.utc_us) },
            output: Output { good: closing.good, rejected: closing.rejected },
            amounts,
        };
        self.store.append_document(&document)?;
        self.documents.insert(document.batch.clone(), document);
        Ok(())
    }

    /// Boundaries older than every batch that is not settled are of no more use.
    fn forget(&mut self) {
        let unsettled = self.batches.in_order().into_iter().find(|batch| !self.settled.contains(&batch.id));
        let oldest = unsettled.map_or_else(
            || self.tracks.iter().filter_map(Track::last_utc_us).min().unwrap_or(i64::MIN),
            |batch| batch.opened_utc_us,
        );
        self.tracks.iter_mut().for_each(|track| track.forget_before(oldest));
    }

    fn grace_us(&self, batch: &Batch) -> i64 {
        let periods = self.measured_in(batch).map(|(_, measured)| {
            let device = &self.site.devices[measured.device];
            let interval_ms =
                device.measures.as_ref().map(|measure| device.channels[measure.channel].poll_interval_ms);
            i64::from(interval_ms.unwrap_or(0)) * 1_000
        });
        GRACE_PERIODS * periods.max().unwrap_or(0)
    }

    fn measured_in<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = (usize, &'a Measured)> {
        self.measured.iter().enumerate().filter(|(_, measured)| {
            let section = self.site.devices[measured.device].measures.as_ref().map(|measure| measure.section);
            section.is_some_and(|section| batch.sections.contains(&self.site.sections[section].name))
        })
    }

    /// The amounts of a batch, and whether all their ends are known.
    fn amounts(&self, batch: &Batch) -> (Vec<Amount>, bool) {
        let mut settled = true;
        let mut amounts = Vec::new();
        for (place, measured) in self.measured_in(batch) {
            let to = batch.closing.map(|closing| closing.utc_us);
            let consumption = self.tracks[place].consumption(batch.opened_utc_us, to);
            settled &= consumption.settled;
            amounts.extend(self.amount(batch, &self.site.devices[measured.device], &consumption));
        }
        (amounts, settled)
    }

    fn amount(&self, batch: &Batch, device: &Device, consumption: &Consumption) -> Option<Amount> {
        let measure = device.measures.as_ref()?;
        let channel = &device.channels[measure.channel];
        let value = consumption.value;
        let u_systematic =
            value.map(|value| value.to_f64().abs() * relative_standard_uncertainty(&device.instrument));
        let u_independent = value.map(|_| consumption.u_independent);
        let expanded = u_systematic
            .zip(u_independent)
            .map(|(systematic, independent)| 2.0 * systematic.hypot(independent));
        let (quality, reason) = grade_consumption(consumption, batch.closing.is_some());
        let flags = certificate_flags(&device.instrument, batch, self.site.timezone);
        Some(Amount {
            carrier: measure.carrier.clone(),
            source: measure.source.clone(),
            section: self.site.sections[measure.section].name.clone(),
            device: device.name.clone(),
            channel: channel.name.clone(),
            unit: channel.unit.to_string(),
            value: value.map(|value| value.to_string()),
            u_systematic,
            u_independent,
            expanded,
            coverage: consumption.coverage,
            quality: quality.to_owned(),
            reason,
            grade: (quality == "good" && flags.is_empty()).then(|| "high".to_owned()),
            flags,
            register: Register { from: text(consumption.register.0), to: text(consumption.register.1) },
            instrument: InstrumentReference::of(&device.instrument),
        })
    }

    /// The newest batches, newest first, as they stand. A settled batch is looked at once.
    pub fn views(&mut self) -> Vec<Arc<BatchView>> {
        let mut kept = HashMap::new();
        let mut views = Vec::new();
        for batch in self.batches.in_order().into_iter().rev().take(VIEWED_BATCHES) {
            let known =
                self.finished.remove(&batch.id).filter(|view| view.revision == self.revision(&batch.id));
            let view = known.unwrap_or_else(|| Arc::new(self.view(batch)));
            if self.settled.contains(&batch.id) {
                kept.insert(batch.id.clone(), view.clone());
            }
            views.push(view);
        }
        self.finished = kept;
        views
    }

    fn revision(&self, batch: &str) -> u32 {
        self.documents.get(batch).map_or(0, |document| document.revision)
    }

    fn view(&self, batch: &Batch) -> BatchView {
        let document = self.documents.get(&batch.id);
        let settled = self.settled.contains(&batch.id);
        let amounts = match document.filter(|_| settled) {
            Some(document) => document.amounts.clone(),
            None => self.amounts(batch).0,
        };
        BatchView {
            id: batch.id.clone(),
            model: batch.model.clone(),
            sections: batch.sections.clone(),
            opened: iso8601(batch.opened_utc_us),
            closed: batch.closing.map(|closing| iso8601(closing.utc_us)),
            state: match (batch.closing, document) {
                (None, _) => "open",
                (Some(_), None) => "closing",
                (Some(_), Some(_)) => "closed",
            },
            good: batch.closing.map(|closing| closing.good),
            rejected: batch.closing.map(|closing| closing.rejected),
            revision: self.revision(&batch.id),
            amounts,
        }
    }
}

/// `U / k` of the calibration where there is one, else `MPE / sqrt(3)` of the class; the configuration demands one of them.
fn relative_standard_uncertainty(instrument: &Instrument) -> f64 {
    match (instrument.calibration, instrument.mpe_relative) {
        (Some(calibration), _) => calibration.expanded_relative / calibration.coverage_factor,
        (None, Some(mpe)) => mpe / 3.0_f64.sqrt(),
        (None, None) => f64::NAN,
    }
}

fn grade_consumption(consumption: &Consumption, closed: bool) -> (&'static str, Option<String>) {
    if let Some(gap) = consumption.breaks.first() {
        let (from, to) = (iso8601(gap.from_utc_us), iso8601(gap.to_utc_us));
        return (
            "bad",
            Some(format!("the register jumped between {from} and {to}; what passed there is not known")),
        );
    }
    match (consumption.value, closed, consumption.settled) {
        (None, _, _) if consumption.awaits_opening => {
            ("uncertain", Some("the first reading after the opening is awaited".to_owned()))
        }
        (None, _, _) => ("bad", Some("no good reading before the opening".to_owned())),
        (Some(_), true, false) => ("uncertain", Some("no good reading after the closing yet".to_owned())),
        (Some(_), _, _) => ("good", None),
    }
}

/// What speaks against the certificate over the whole time of the batch (R-A16). Its days are days of the site.
fn certificate_flags(instrument: &Instrument, batch: &Batch, timezone: chrono_tz::Tz) -> Vec<String> {
    let day = |utc_us: i64| {
        chrono::DateTime::from_timestamp_micros(utc_us).map(|time| time.with_timezone(&timezone).date_naive())
    };
    let opened = day(batch.opened_utc_us);
    let closed = day(batch.closing.map_or(batch.opened_utc_us, |closing| closing.utc_us));
    let mut flags = Vec::new();
    if instrument.certificate.is_none() {
        flags.push("no certificate".to_owned());
    }
    if instrument.valid_until.zip(closed).is_some_and(|(until, closed)| closed > until) {
        flags.push("certificate expired".to_owned());
    }
    if instrument.valid_from.zip(opened).is_some_and(|(from, opened)| opened < from) {
        flags.push("certificate not yet valid".to_owned());
    }
    flags
}

fn text(value: Option<Decimal>) -> Option<String> {
    value.map(|value| value.to_string())
}
