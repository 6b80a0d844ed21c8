//! The difference between two texts as the v1 protocol shows it.

/// From `old` to `new` as a unified diff with zero lines of context and without the `---` and `+++` lines; empty for
/// equal texts.
pub fn unified_diff(old: &str, new: &str) -> String {
    let _ = (old, new);
    todo!()
}
