//! What leaves the gateway: every stored reading and document, in order, until the broker has acknowledged it.

mod json;
mod mqtt;

pub use self::json::{ReadingsMessage, SCHEMA};
pub use self::mqtt::{PublishStatus, Publisher};
