//! What the tests of streams share. Not every one of them uses all of it.

#![allow(dead_code)]

use weighbridge_protocol::{Exchange, Outcome, Query};

/// `"01 A0"` or `"01A0"` as bytes.
pub(crate) fn bytes_from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect()
}

/// How the exchange ends when the line returns `wire` and then falls silent.
pub(crate) fn outcome(query: &Query, wire: &[u8]) -> Option<Outcome> {
    outcome_by_piece(query, [wire])
}

/// The same, when the bytes come in pieces.
pub(crate) fn outcome_by_piece<'a>(
    query: &Query,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Option<Outcome> {
    let mut exchange = Exchange::new(query.clone());
    let found = pieces.into_iter().find_map(|piece| exchange.handle_bytes(piece));
    found.or_else(|| exchange.handle_silence())
}
