//! The footprint of one product over its stages, by formulas (1) to (18) of the JJF draft.
//!
//! Every stage is a sum of terms, and every term a product of one or two amounts and a factor, whatever it
//! stands for: a material (3), an energy of production (9), an energy of transport (5), (11), or a
//! transported mass, a distance and a transport factor (7), (13). So one evaluation serves all of them; see
//! [`Term`] for which is which.
//!
//! The draft combines uncertainties as if no two terms had anything in common, which a factor used twice or
//! an instrument read twice disproves. Four answers are therefore given side by side: see [`Footprint`].

mod correlation;
mod cut_off;
mod evaluate;
mod factor;
mod input;
mod inventory;
mod outcome;
mod product;
mod response;

pub use correlation::{Correlation, CorrelationError};
pub use cut_off::{CutOff, CutOffItem};
pub use evaluate::{FootprintError, production};
pub use factor::{Factor, Factors, Grade};
pub use inventory::{Inventory, Stage, Term};
pub use outcome::{
    BudgetEntry, Footprint, InputKind, StageOutcome, TermOutcome, Total, Uncertainty, Warning,
};
