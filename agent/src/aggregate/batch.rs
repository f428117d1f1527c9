//! Production batches: an append-only log of events, and what stands after them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use weighbridge_config::site::Site;

use crate::clock::iso8601;

/// Something that an operator or the MES said about a batch. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEvent {
    /// Counts up from 1.
    pub number: u64,
    /// When it was said, UTC microseconds.
    pub recorded_utc_us: i64,
    /// Who said it.
    pub author: String,
    /// What was said.
    pub command: BatchCommand,
}

/// A command to open or close a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchCommand {
    /// Production of a batch begins.
    Open {
        /// Identity of the batch, unique in the site for ever.
        batch: String,
        /// Its product model.
        model: String,
        /// The sections that it occupies.
        sections: Vec<String>,
        /// The instant, UTC microseconds.
        at_utc_us: i64,
    },
    /// Production of a batch ends.
    Close {
        /// Which batch.
        batch: String,
        /// The instant, UTC microseconds.
        at_utc_us: i64,
        /// Pieces that passed.
        good: u64,
        /// Pieces that did not.
        rejected: u64,
    },
}

/// A batch as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Identity.
    pub id: String,
    /// Product model.
    pub model: String,
    /// Sections that it occupies, by name.
    pub sections: Vec<String>,
    /// Opening instant, UTC microseconds.
    pub opened_utc_us: i64,
    /// Closing instant and output, once closed.
    pub closing: Option<Closing>,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The instant, UTC microseconds.
    pub utc_us: i64,
    /// Pieces that passed.
    pub good: u64,
    /// Pieces that did not.
    pub rejected: u64,
}

/// Why a command is refused; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RefusedCommand {
    /// The site has no such model.
    #[error("there is no model `{0}` in the site; known are {1}")]
    UnknownModel(String, String),
    /// The site has no such section.
    #[error("there is no section `{0}` in the site; known are {1}")]
    UnknownSection(String, String),
    /// A batch needs a place.
    #[error("a batch occupies at least one section")]
    NoSection,
    /// A batch id becomes part of a topic.
    #[error("`{0}` cannot be a batch id: use 1 to 64 letters, digits, `-`, `_`, `.`")]
    UnusableId(String),
    /// The id is taken.
    #[error("batch `{0}` exists already; ids are never used twice")]
    KnownBatch(String),
    /// There is no such batch.
    #[error("there is no batch `{0}`")]
    UnknownBatch(String),
    /// It is closed.
    #[error("batch `{0}` was closed at {1} already")]
    AlreadyClosed(String, String),
    /// The section is not free at that time.
    #[error(
        "section `{section}` belongs to batch `{batch}` at that time; sharing a section between batches is not supported yet"
    )]
    SectionTaken {
        /// The section.
        section: String,
        /// Who has it.
        batch: String,
    },
    /// A batch ends after it begins.
    #[error("batch `{batch}` was opened at {opened}; it cannot close before")]
    ClosesBeforeOpening {
        /// The batch.
        batch: String,
        /// Its opening.
        opened: String,
    },
    /// Boundaries are facts, not plans.
    #[error("{0} is in the future; say it when it happens")]
    InTheFuture(String),
    /// Batches need a known time.
    #[error("the gateway does not know the time yet; set its clock or wait for NTP")]
    ClockNotSet,
}

/// All batches, by id.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    by_id: BTreeMap<String, Batch>,
    events: u64,
}

impl Batches {
    /// What stands after the events of a log.
    pub fn replay(events: &[BatchEvent]) -> Self {
        let mut batches = Self::default();
        events.iter().for_each(|event| batches.apply(event));
        batches
    }

    /// Takes over an event that has been made durable.
    pub fn apply(&mut self, event: &BatchEvent) {
        self.events = self.events.max(event.number);
        match event.command.clone() {
            BatchCommand::Open { batch, model, sections, at_utc_us } => {
                let opened =
                    Batch { id: batch.clone(), model, sections, opened_utc_us: at_utc_us, closing: None };
                self.by_id.insert(batch, opened);
            }
            BatchCommand::Close { batch, at_utc_us, good, rejected } => {
                if let Some(batch) = self.by_id.get_mut(&batch) {
                    batch.closing = Some(Closing { utc_us: at_utc_us, good, rejected });
                }
            }
        }
    }

    /// The number for the next event.
    pub fn next_number(&self) -> u64 {
        self.events + 1
    }

    /// All batches in order of opening.
    pub fn in_order(&self) -> Vec<&Batch> {
        let mut batches: Vec<_> = self.by_id.values().collect();
        batches.sort_by_key(|batch| (batch.opened_utc_us, &batch.id));
        batches
    }

    /// Whether a command may be taken.
    ///
    /// # Errors
    /// The reason why not, for the one who gave it.
    pub fn check(&self, command: &BatchCommand, site: &Site, now_utc_us: i64) -> Result<(), RefusedCommand> {
        let (BatchCommand::Open { at_utc_us, .. } | BatchCommand::Close { at_utc_us, .. }) = command;
        if *at_utc_us > now_utc_us {
            return Err(RefusedCommand::InTheFuture(iso8601(*at_utc_us)));
        }
        match command {
            BatchCommand::Open { batch, model, sections, at_utc_us } => {
                check_names(batch, model, sections, site)?;
                self.check_free(batch, sections, *at_utc_us)
            }
            BatchCommand::Close { batch, at_utc_us, .. } => self.check_close(batch, *at_utc_us),
        }
    }

    fn check_free(&self, id: &str, sections: &[String], at_utc_us: i64) -> Result<(), RefusedCommand> {
        if self.by_id.contains_key(id) {
            return Err(RefusedCommand::KnownBatch(id.to_owned()));
        }
        for other in self.by_id.values() {
            let over = other.closing.is_some_and(|closing| closing.utc_us <= at_utc_us);
            if let Some(section) = sections.iter().find(|section| !over && other.sections.contains(section)) {
                return Err(RefusedCommand::SectionTaken {
                    section: section.clone(),
                    batch: other.id.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_close(&self, id: &str, at_utc_us: i64) -> Result<(), RefusedCommand> {
        let batch = self.by_id.get(id).ok_or_else(|| RefusedCommand::UnknownBatch(id.to_owned()))?;
        if let Some(closing) = batch.closing {
            return Err(RefusedCommand::AlreadyClosed(id.to_owned(), iso8601(closing.utc_us)));
        }
        if at_utc_us <= batch.opened_utc_us {
            let opened = iso8601(batch.opened_utc_us);
            return Err(RefusedCommand::ClosesBeforeOpening { batch: id.to_owned(), opened });
        }
        Ok(())
    }
}

fn check_names(batch: &str, model: &str, sections: &[String], site: &Site) -> Result<(), RefusedCommand> {
    let usable = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if batch.is_empty() || batch.chars().count() > 64 || !batch.chars().all(usable) {
        return Err(RefusedCommand::UnusableId(batch.to_owned()));
    }
    let models: Vec<_> = site.models.iter().map(|model| model.name.as_str()).collect();
    if !models.contains(&model) {
        return Err(RefusedCommand::UnknownModel(model.to_owned(), models.join(", ")));
    }
    let known: Vec<_> = site.sections.iter().map(|section| section.name.as_str()).collect();
    match sections.iter().find(|section| !known.contains(&section.as_str())) {
        Some(unknown) => Err(RefusedCommand::UnknownSection(unknown.clone(), known.join(", "))),
        None if sections.is_empty() => Err(RefusedCommand::NoSection),
        None => Ok(()),
    }
}
