//! A disk that a test can hold up, as a slow one does.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::support::Setup;

/// Holds up servers that run with it.
pub(super) struct HeldDisk(TempDir);

impl HeldDisk {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (source, library) = (folder.path().join("disk.c"), folder.path().join("disk.so"));
        fs::write(&source, include_str!("held_disk.c")).expect("a file");
        let compiled = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .status();
        assert!(compiled.expect("cc starts").success());
        Self(folder)
    }

    /// Servers of this setup wait for it.
    pub(super) fn of(&self, setup: Setup) -> Setup {
        let path = |name: &str| self.0.path().join(name).display().to_string();
        setup
            .environment("LD_PRELOAD", &path("disk.so"))
            .environment("KAFKA_HELD_DISK", &path("held"))
    }

    /// From now on nothing reaches it.
    pub(super) fn hold(&self) {
        fs::write(self.0.path().join("held"), "").expect("a file");
    }

    /// It goes on.
    pub(super) fn release(&self) {
        fs::remove_file(self.0.path().join("held")).expect("it was held");
    }
}
