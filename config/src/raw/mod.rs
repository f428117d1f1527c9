//! Walking a TOML document by hand, so that every fault of a file is found in one go and each knows its
//! place.
//!
//! Readers return `Result<T, Reported>`: an error says that the fault has been reported already. A reader
//! evaluates all its keys first and asks for their success last, so one bad key hides no other.

mod document;
mod report;
mod table;
mod value;

pub(crate) use document::Document;
pub(crate) use report::{Report, Reported, borrow};
pub(crate) use table::{Names, Table, nearest, nearest_hint};
pub(crate) use value::Value;
