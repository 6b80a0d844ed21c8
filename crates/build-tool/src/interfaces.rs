//! The WIT definitions of Spin's interfaces, for build scripts.

use std::{env, path::PathBuf, process::Command};

/// The folder with a folder for each interface, such as `spin-sqlite@3.1.0`: in the `spin-sdk` crate that Cargo.lock names,
/// so that host and components are always built from the same ones. Only for build scripts, which cargo tells what it
/// needs.
///
/// # Panics
/// When cargo can't say where the crate is.
#[must_use]
pub fn interfaces() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("cargo sets CARGO");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .arg("--filter-platform")
        .arg(env::var_os("TARGET").expect("cargo sets TARGET"))
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let manifest = metadata["packages"]
        .as_array()
        .expect("cargo metadata lists packages")
        .iter()
        .find(|package| package["name"] == "spin-sdk")
        .and_then(|package| package["manifest_path"].as_str())
        .expect("the workspace depends on spin-sdk");
    let folder = PathBuf::from(manifest);
    let folder = folder.parent().expect("a manifest is in a folder");
    folder.join("wit").join("deps")
}
