//! Readings as JSON: one message for some hundred readings, each with the identity by which a repeat is told from a new one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::buffer::{Store, StoreError};
use crate::clock::iso8601;
use crate::reading::{ChannelId, ChannelRecord, Reading, in_unit};

/// Version of the layout; grows when a field changes its meaning.
pub const SCHEMA: &str = "weighbridge.readings/1";

/// Readings of one message at most: about 60 kB, below the packet limits of common brokers.
const READINGS_PER_MESSAGE: usize = 400;

/// The payload on `weighbridge/<site>/<gateway>/readings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingsMessage {
    /// [`SCHEMA`].
    pub schema: String,
    /// Site.
    pub site: String,
    /// Gateway; with `epoch` and each reading's `sequence` the reading's identity.
    pub gateway: String,
    /// Grows with every start of the agent.
    pub epoch: u32,
    /// In order of their sequence, without holes.
    pub readings: Vec<PublishedReading>,
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedReading {
    /// Grows by one with each reading of the gateway.
    pub sequence: u64,
    /// The instant that the value stands for, ISO 8601 UTC.
    pub time: String,
    /// Half-width of that instant in seconds.
    pub time_uncertainty_s: f64,
    /// Device.
    pub device: String,
    /// Its channel.
    pub channel: String,
    /// Unit of `value`.
    pub unit: String,
    /// Decimal digits; null where there is no value.
    pub value: Option<String>,
    /// `"good"`, `"uncertain"` or `"bad"`.
    pub quality: String,
    /// Why it is not good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Makes messages out of the buffer.
#[derive(Debug)]
pub(super) struct Packer {
    pub(super) site: String,
    pub(super) gateway: String,
    pub(super) channels: HashMap<ChannelId, ChannelRecord>,
}

impl Packer {
    /// The next message from `cursor` on, and the cursor behind it; `None` when everything has been packed.
    pub(super) fn pack(&self, store: &Store, cursor: u64) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let mut next = cursor;
        let mut epoch = None;
        let mut readings = Vec::new();
        for block in store.blocks_from(cursor) {
            let block = match block {
                Ok(block) => block,
                Err(damaged @ StoreError::Damaged { .. }) => {
                    tracing::error!(%damaged, "a gap in the published readings");
                    continue;
                }
                Err(why) => return Err(why),
            };
            if epoch.is_some_and(|epoch| epoch != block.epoch) || readings.len() >= READINGS_PER_MESSAGE {
                break;
            }
            epoch = Some(block.epoch);
            let from = next;
            let numbered =
                (block.first_sequence..).zip(&block.readings).filter(|(sequence, _)| *sequence >= from);
            let room = READINGS_PER_MESSAGE - readings.len();
            for (sequence, reading) in numbered.take(room) {
                readings.push(self.published(sequence, reading));
                next = sequence + 1;
            }
        }
        let Some(epoch) = epoch else { return Ok(None) };
        let message = ReadingsMessage {
            schema: SCHEMA.to_owned(),
            site: self.site.clone(),
            gateway: self.gateway.clone(),
            epoch,
            readings,
        };
        let json = serde_json::to_vec(&message)
            .map_err(|why| StoreError::Unreadable { table: "blocks", why: why.to_string() })?;
        Ok(Some((json, next)))
    }

    fn published(&self, sequence: u64, reading: &Reading) -> PublishedReading {
        let record = self.channels.get(&reading.channel);
        let name =
            |of: fn(&ChannelRecord) -> &String| record.map_or_else(String::new, |record| of(record).clone());
        let factor = record.and_then(|record| record.factor.parse().ok());
        PublishedReading {
            sequence,
            time: iso8601(reading.utc_us),
            time_uncertainty_s: f64::from(reading.half_width_us) / 1e6,
            device: name(|record| &record.device),
            channel: name(|record| &record.channel),
            unit: name(|record| &record.unit),
            value: reading.value.zip(factor).and_then(|(raw, factor)| in_unit(raw, factor)),
            quality: reading.quality.name().to_owned(),
            reason: reading.quality.reason().map(|reason| reason.name().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use weighbridge_protocol::Raw;

    use super::*;
    use crate::reading::{Quality, Reason};

    fn store_with(folder: &std::path::Path, appends: &[i64]) -> Store {
        let (store, _) = Store::open(folder, 1_700_000_000_000_000).unwrap();
        let reading = |count| Reading {
            channel: ChannelId(0),
            utc_us: 1_800_000_000_000_000,
            half_width_us: 25_000,
            value: Some(Raw::Integer(count)),
            quality: Quality::Good,
        };
        for count in appends {
            store.append(&(0..*count).map(reading).collect::<Vec<_>>()).unwrap();
        }
        store
    }

    fn packer() -> Packer {
        let record = ChannelRecord {
            device: "meter".into(),
            channel: "energy".into(),
            unit: "kWh".into(),
            kind: "counter".into(),
            factor: "0.01".into(),
            revision: 1,
        };
        Packer { site: "s".into(), gateway: "g".into(), channels: HashMap::from([(ChannelId(0), record)]) }
    }

    #[test]
    fn messages_follow_each_other_without_holes_or_repeats() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_with(folder.path(), &[1, 5, 700, 3, 512]);
        let (mut cursor, mut seen) = (1, Vec::new());
        while let Some((json, next)) = packer().pack(&store, cursor).unwrap() {
            let message: ReadingsMessage = serde_json::from_slice(&json).unwrap();
            assert!(message.readings.len() <= READINGS_PER_MESSAGE);
            seen.extend(message.readings.iter().map(|reading| reading.sequence));
            cursor = next;
        }
        assert_eq!(seen, (1..=1_221).collect::<Vec<_>>());
    }

    #[test]
    fn a_reading_carries_value_time_and_quality() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_with(folder.path(), &[1]);
        let bad = Reading {
            channel: ChannelId(0),
            utc_us: 0,
            half_width_us: 0,
            value: None,
            quality: Quality::Bad(Reason::NoAnswer),
        };
        store.append(&[bad]).unwrap();
        let (json, _) = packer().pack(&store, 1).unwrap().unwrap();
        let message: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(message["readings"][0]["value"], "0.00");
        assert_eq!(message["readings"][0]["time"], "2027-01-15T08:00:00.000Z");
        assert_eq!(message["readings"][0]["time_uncertainty_s"], 0.025);
        assert_eq!(message["readings"][1]["value"], serde_json::Value::Null);
        assert_eq!(message["readings"][1]["reason"], "no answer");
    }
}
