//! The study as written, key by key. Units are texts still and alternatives are options still, so that what
//! is wrong can be said in the words of the study.

use serde::Deserialize;

use crate::allocation::ModelOutput;
use crate::footprint::Grade;
use crate::gas::GasVolume;
use crate::statement::Statement;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FactorText {
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) unc: Option<Statement>,
    #[serde(default)]
    pub(super) source: String,
    pub(super) grade: Option<Grade>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageText {
    #[serde(default)]
    pub(super) items: Vec<ItemText>,
    #[serde(default)]
    pub(super) transport: Vec<LegText>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemText {
    pub(super) id: String,
    pub(super) quantity: AmountText,
    pub(super) factor: String,
    #[serde(default)]
    pub(super) cut_off: bool,
}

/// One leg of a transport; serde's `flatten` forbids refusing unknown keys, so it is read from [`LegKeys`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "LegKeys")]
pub(super) struct LegText {
    pub(super) id: String,
    pub(super) material: Option<String>,
    pub(super) mode: String,
    pub(super) cut_off: bool,
    pub(super) variant: Variant,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variant {
    Energy { energies: Vec<EnergyText> },
    Distance { mass: Box<AmountText>, distance: Box<AmountText>, factor: String },
}

#[derive(Deserialize)]
#[serde(tag = "variant", rename_all = "snake_case", deny_unknown_fields)]
enum LegKeys {
    Energy {
        id: String,
        material: Option<String>,
        mode: String,
        #[serde(default)]
        cut_off: bool,
        energies: Vec<EnergyText>,
    },
    Distance {
        id: String,
        material: Option<String>,
        mode: String,
        #[serde(default)]
        cut_off: bool,
        mass: Box<AmountText>,
        distance: Box<AmountText>,
        factor: String,
    },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnergyText {
    pub(super) quantity: AmountText,
    pub(super) factor: String,
}

/// An amount in any of its forms.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AmountText {
    pub(super) value: Option<f64>,
    pub(super) unit: Option<String>,
    pub(super) unc: Option<Statement>,
    pub(super) id: Option<String>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) scale: Option<f64>,
    pub(super) batches: Option<Vec<AmountText>>,
    pub(super) batch_correlation: Option<f64>,
    pub(super) allocate: Option<Box<AllocationText>>,
    pub(super) gas: Option<GasVolume>,
    pub(super) per_units: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllocationText {
    pub(super) total: AmountText,
    pub(super) model: String,
    pub(super) models: Vec<ModelOutput>,
}

impl From<LegKeys> for LegText {
    fn from(keys: LegKeys) -> Self {
        match keys {
            LegKeys::Energy { id, material, mode, cut_off, energies } => {
                Self { id, material, mode, cut_off, variant: Variant::Energy { energies } }
            }
            LegKeys::Distance { id, material, mode, cut_off, mass, distance, factor } => {
                Self { id, material, mode, cut_off, variant: Variant::Distance { mass, distance, factor } }
            }
        }
    }
}
