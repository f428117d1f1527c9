//! The primary-data document: what one batch drew, as evidence. Stored, published (retained), served, and the only thing of the
//! agent that the footprint needs.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use weighbridge_config::site::Instrument;

/// Version of the layout; grows when a field changes its meaning.
pub const SCHEMA: &str = "weighbridge.primary-data/1";

/// One revision of the primary data of one closed batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrimaryData {
    /// [`SCHEMA`].
    pub schema: String,
    /// Site.
    pub site: String,
    /// Gateway that measured.
    pub gateway: String,
    /// Batch id.
    pub batch: String,
    /// Product model.
    pub model: String,
    /// Sections that it occupied.
    pub sections: Vec<String>,
    /// Counts up from 1; a higher one replaces those before.
    pub revision: u32,
    /// Whether all is known that ever will be; otherwise readings after the closing are still awaited, and a revision may follow.
    #[serde(rename = "final", default)]
    pub is_final: bool,
    /// When this revision was issued, ISO 8601 UTC.
    pub issued: String,
    /// When the batch ran.
    pub period: Period,
    /// What came out of it.
    pub output: Output,
    /// What went into it, by section, carrier and instrument.
    pub amounts: Vec<Amount>,
}

/// A span `[from, to)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// Opening, ISO 8601 UTC.
    pub from: String,
    /// Closing, ISO 8601 UTC.
    pub to: String,
}

/// Pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// That passed.
    pub good: u64,
    /// That did not.
    pub rejected: u64,
}

/// What was drawn of one carrier in one section, by one instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// `"electricity"`, or a material.
    pub carrier: String,
    /// `"grid"`, `"green"`, `"on-site"`; null for materials.
    pub source: Option<String>,
    /// Section of the process.
    pub section: String,
    /// Device that measured; its name identifies the systematic part of the uncertainty.
    pub device: String,
    /// Its counter.
    pub channel: String,
    /// Unit of `value` and of the uncertainties.
    pub unit: String,
    /// Exact decimal; null where it is not known.
    pub value: Option<String>,
    /// Standard uncertainty from the instrument's class or calibration: the same for all amounts of this device, relatively.
    pub u_systematic: Option<f64>,
    /// Standard uncertainty of resolution and boundaries.
    pub u_independent: Option<f64>,
    /// Expanded uncertainty of both, k = 2.
    pub expanded: Option<f64>,
    /// Share of the time that is backed by readings, 0 to 1.
    pub coverage: f64,
    /// `"good"`, `"uncertain"` or `"bad"`.
    pub quality: String,
    /// Why it is not good.
    pub reason: Option<String>,
    /// Data-quality grade by table 2 of the JJF draft: `"high"` for what was measured on site by an instrument in calibration;
    /// null where the certificate does not cover the batch.
    pub grade: Option<String>,
    /// What keeps it from the grade.
    pub flags: Vec<String>,
    /// The counter at opening and closing.
    pub register: Register,
    /// The instrument's evidence.
    pub instrument: InstrumentReference,
}

/// What the counter's display showed at both ends, interpolated where no reading fell on the boundary; exact decimals in the
/// amount's unit. At closing it is carried on past a roll-over, so the difference is the amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// At opening.
    pub from: Option<String>,
    /// At closing, or now.
    pub to: Option<String>,
}

/// Which instrument, and why it may be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentReference {
    /// Serial number.
    pub serial_number: Option<String>,
    /// Accuracy class.
    pub class: Option<String>,
    /// Certificate number.
    pub certificate: Option<String>,
    /// First day of validity, ISO 8601.
    pub valid_from: Option<String>,
    /// Last day of validity, ISO 8601.
    pub valid_until: Option<String>,
}

impl InstrumentReference {
    /// What the site file says of an instrument.
    pub fn of(instrument: &Instrument) -> Self {
        let day = |date: Option<NaiveDate>| date.map(|date| date.to_string());
        Self {
            serial_number: instrument.serial_number.clone(),
            class: instrument.class.clone(),
            certificate: instrument.certificate.clone(),
            valid_from: day(instrument.valid_from),
            valid_until: day(instrument.valid_until),
        }
    }
}
