//! What the tests from wire to footprint have in common.
