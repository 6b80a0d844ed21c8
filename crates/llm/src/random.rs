//! Random input for tests: what each property is tried with, and how often.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy};
use proptest::sample::select;

/// So many cases, and no file about those that fail: the output has their input.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Texts of at most so many of these pieces.
pub(crate) fn text(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    vec(select(pieces), 0..=most).prop_map(|pieces| pieces.concat())
}
