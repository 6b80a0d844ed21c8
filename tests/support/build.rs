//! Builds the components of a manifest once per test run, as a person would: with `kafka build`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::repository;

/// Which manifests were built, and whether that succeeded.
static BUILT: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());

/// Builds what `manifest` names, unless this process has tried to already. Tests that come meanwhile wait; after a failure
/// all fail.
pub fn build_once(manifest: &Path) {
    let mut built = BUILT
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let is_built = built
        .entry(manifest.to_owned())
        .or_insert_with(|| build(manifest));
    assert!(
        *is_built,
        "kafka build --from {} failed",
        manifest.display()
    );
}

/// Its progress goes to the terminal: the first build takes minutes, and a person may be watching.
fn build(manifest: &Path) -> bool {
    Command::new(env!("CARGO_BIN_EXE_kafka"))
        .arg("build")
        .arg("--from")
        .arg(manifest)
        .current_dir(repository())
        .stdout(Stdio::null())
        .status()
        .expect("the kafka binary starts")
        .success()
}

/// Starts `server`: the first of a manifest alone, because it compiles the components for all others.
pub fn first_alone<T>(manifest: &Path, server: impl FnOnce() -> T) -> T {
    static STARTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let mut started = STARTED
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    if started.contains(manifest) {
        drop(started);
        return server();
    }
    let server = server();
    started.insert(manifest.to_owned());
    server
}
