//! Builds the components of a manifest once per test run, as a person would: with `kafka build`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::repository;

static BUILT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Builds what `manifest` names, unless this process did so already. Tests that come meanwhile wait.
pub fn build_once(manifest: &Path) {
    // A failed build poisons nothing that the next caller could not retry.
    let mut built = BUILT
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if built.contains(manifest) {
        return;
    }
    let output = Command::new(env!("CARGO_BIN_EXE_kafka"))
        .arg("build")
        .arg("--from")
        .arg(manifest)
        .current_dir(repository())
        .output()
        .expect("the kafka binary starts");
    assert!(
        output.status.success(),
        "kafka build --from {} failed:\n{}{}",
        manifest.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    built.insert(manifest.to_owned());
}
