//! The Rust toolchain that will compile the components.

use super::step;
use anyhow::{Context, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A target that the application is compiled to.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What cargo calls it.
    pub name: &'static str,
    /// What the linker needs of a libc; empty: nothing.
    libc: &'static [&'static str],
}

/// Of the components, and of the module that their page loads.
pub const TARGETS: [Target; 2] = [
    Target {
        name: "wasm32-wasip2",
        libc: &["crt1-command.o", "crt1-reactor.o", "libc.a"],
    },
    Target {
        name: "wasm32-unknown-unknown",
        libc: &[],
    },
];

impl Target {
    /// Whether there is a libc for it.
    pub fn has_libc(&self) -> bool {
        !self.libc.is_empty()
    }
}

/// Names the compiler which built the standard library, so that a toolchain that was updated in place gets a new
/// one. Only this tool writes it: rustup keeps its own installs in step.
const BUILT_BY: &str = "built-by";

/// The toolchain that `rustc` and `cargo` mean here, whichever of rustup's it is.
#[derive(Debug)]
pub struct Toolchain {
    /// For instance `1.95.0`.
    pub release: String,
    /// The first line of `rustc -vV`, which names the commit too.
    identity: String,
    sysroot: PathBuf,
}

impl Toolchain {
    /// Asks `rustc`.
    ///
    /// # Errors
    /// When there is no working `rustc`.
    pub fn find() -> anyhow::Result<Self> {
        let ask = |arguments: &[&str]| {
            step::output_of(Command::new("rustc").args(arguments))
                .context("Rust is needed to build the components: see https://rustup.rs")
        };
        let version = ask(&["-vV"])?;
        let sysroot = ask(&["--print", "sysroot"])?;
        Self::parse(&version, sysroot.trim_end())
            .ok_or_else(|| anyhow!("can't read the version of rustc:\n{version}"))
    }

    /// Reads the answer of `rustc -vV`.
    fn parse(version: &str, sysroot: &str) -> Option<Self> {
        Some(Self {
            release: version
                .lines()
                .find_map(|line| line.strip_prefix("release: "))?
                .to_owned(),
            identity: version.lines().next()?.to_owned(),
            sysroot: PathBuf::from(sysroot),
        })
    }

    /// The folder with one folder per target.
    pub fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    /// The folder of a target.
    pub fn folder(&self, target: Target) -> PathBuf {
        self.libraries().join(target.name)
    }

    /// A program of exactly this toolchain, past rustup, which would look at the working folder to choose one.
    pub fn program(&self, name: &str) -> PathBuf {
        let own = self.sysroot.join("bin").join(name);
        if own.is_file() {
            own
        } else {
            PathBuf::from(name)
        }
    }

    /// The targets that can't be compiled to.
    pub fn missing(&self) -> Vec<Target> {
        let missing = TARGETS.into_iter().filter(|target| !self.has(*target));
        missing.collect()
    }

    /// Whether a target can be compiled to: the standard library and what the linker needs of libc are there, and not for
    /// another compiler.
    fn has(&self, target: Target) -> bool {
        let folder = self.folder(target);
        let current = match fs::read_to_string(folder.join(BUILT_BY)) {
            Ok(built_by) => built_by == self.identity,
            Err(_) => true,
        };
        let library = folder.join("lib");
        current
            && has_standard_library(&library)
            && target
                .libc
                .iter()
                .all(|file| library.join("self-contained").join(file).is_file())
    }

    /// Writes down, in the folder of a target, which compiler its standard library was built by.
    pub fn sign(&self, folder: &Path) -> anyhow::Result<()> {
        let file = folder.join(BUILT_BY);
        fs::write(&file, &self.identity).with_context(|| format!("can't write {}", file.display()))
    }
}

/// Whether there is a compiled `std` of any hash.
fn has_standard_library(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{TARGETS, Toolchain};
    use std::path::Path;

    #[test]
    fn reads_the_version_of_rustc() {
        let output = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n\
                      release: 1.95.0\nLLVM version: 22.1.2\n";
        let toolchain = Toolchain::parse(output, "/opt/rust tools/stable").expect("well formed");
        assert_eq!(toolchain.release, "1.95.0");
        assert_eq!(toolchain.identity, "rustc 1.95.0 (59807616e 2026-04-14)");
        assert_eq!(
            toolchain.folder(TARGETS[0]),
            Path::new("/opt/rust tools/stable/lib/rustlib/wasm32-wasip2")
        );
    }

    #[test]
    fn a_strange_answer_is_no_toolchain() {
        assert!(Toolchain::parse("", "/opt/rust").is_none());
        assert!(Toolchain::parse("rustc 1.95.0\n", "/opt/rust").is_none());
    }
}
