//! Builds the components of a manifest once per test run, as a person would: with `kafka build`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    // Its progress goes to the terminal: the first build takes minutes, and a person may be watching.
    let status = Command::new(env!("CARGO_BIN_EXE_kafka"))
        .arg("build")
        .arg("--from")
        .arg(manifest)
        .current_dir(repository())
        .stdout(Stdio::null())
        .status()
        .expect("the kafka binary starts");
    assert!(
        status.success(),
        "kafka build --from {} failed",
        manifest.display()
    );
    built.insert(manifest.to_owned());
}
