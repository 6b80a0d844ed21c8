//! Installs the compilation targets where they are missing: `wasm32-wasip2` of the components, and
//! `wasm32-unknown-unknown` of the module that their page loads.
//!
//! rustup's server is asked first. Where it can't be reached, or `RUSTUP_AUTO_INSTALL=0` means to leave rustup
//! alone, a target's standard library is built from Debian's packages `rust-src` and `wasi-libc`
//! (docs/decisions.md#the-webassembly-target-without-rustup). The result is what rustup would have installed.

use super::{
    debian::{self, Suite},
    step::{self, say},
    toolchain::{Target, Toolchain},
};
use anyhow::{Context, anyhow, bail};
use kafka_scratch::{self as scratch, Scratch};
use std::{
    env, fs,
    fs::File,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// The folder of the package `wasi-libc` that is needed.
const LIBC: &str = "wasm32-wasip2";

/// Debian's suites that carry `rust-src` of recent Rust versions together with a `wasi-libc` that has the target.
const SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];

/// Makes sure that `cargo build --target wasm32-wasip2` can work, and the build of the page's module: some milliseconds
/// when they already do, else a minute, with a line on standard error for each step.
///
/// Any number of processes may ask at once: one installs, the others wait for it. An install that was interrupted
/// leaves nothing that looks like a target, and the next call starts again.
///
/// # Errors
/// When a target is missing and neither way of installing it works; the message contains a remedy.
pub fn ensure_wasm_targets() -> anyhow::Result<()> {
    let toolchain = Toolchain::find()?;
    let missing = toolchain.missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names = names(&missing);
    install(&toolchain).with_context(|| {
        format!(
            "Rust's target {names} is missing and could not be installed.\n\
             Where rustup's server can be reached, `rustup target add {names}` installs it; otherwise this needs \
             Debian's apt, a mirror that has rust-src {release} and leave to write to {folder}.\nWhat went wrong",
            release = toolchain.release,
            folder = toolchain.libraries().display(),
        )
    })
}

/// As rustup takes them.
fn names(targets: &[Target]) -> String {
    let names: Vec<_> = targets.iter().map(|target| target.name).collect();
    names.join(" ")
}

fn install(toolchain: &Toolchain) -> anyhow::Result<()> {
    let _lock = lock(&toolchain.libraries().join(".kafka-install.lock"))?;
    let missing = toolchain.missing();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!(
        "Rust {} has no target {} yet: installing it",
        toolchain.release,
        names(&missing)
    ));
    if install_with_rustup(&missing) && toolchain.missing().is_empty() {
        return Ok(());
    }
    let start = Instant::now();
    let missing = toolchain.missing();
    install_from_debian(toolchain, &missing)?;
    if !toolchain.missing().is_empty() {
        bail!("the target was built, but lacks files");
    }
    say(&format!(
        "installed {} in {} s",
        names(&missing),
        start.elapsed().as_secs()
    ));
    Ok(())
}

/// Waits for, and takes, the lock that serialises installs into this toolchain; dropping the file releases it.
fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    if file.try_lock().is_err() {
        say("waiting for another process that installs the target");
        file.lock()
            .with_context(|| format!("can't lock {}", path.display()))?;
    }
    Ok(file)
}

/// Whether rustup installed the targets. It does nothing where rustup is set to install nothing.
fn install_with_rustup(targets: &[Target]) -> bool {
    if env::var_os("RUSTUP_AUTO_INSTALL").is_some_and(|value| value == "0") {
        return false;
    }
    say(&format!("trying `rustup target add {}`", names(targets)));
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add"]);
    rustup.args(targets.iter().map(|target| target.name));
    let result = step::run(&mut rustup);
    if let Err(error) = &result {
        say(&format!("{error:#}"));
    }
    result.is_ok()
}

fn install_from_debian(toolchain: &Toolchain, targets: &[Target]) -> anyhow::Result<()> {
    say("building the standard library from Debian's packages, about a minute");
    let temporary = env::temp_dir().join(format!("kafka-targets-{}", std::process::id()));
    let scratch = Scratch::create(temporary)?;
    let source = fetch_source(toolchain, scratch.path())?;
    for target in targets {
        install_built(toolchain, *target, &source, scratch.path())?;
    }
    Ok(())
}

/// Builds the standard library of a target and puts it where the compiler looks for it.
fn install_built(
    toolchain: &Toolchain,
    target: Target,
    source: &Source,
    scratch: &Path,
) -> anyhow::Result<()> {
    let built = build_standard_library(toolchain, target, source, scratch)?;
    // Beside its final place, hence on the same file system: it appears there whole or not at all.
    let staging = Scratch::create(toolchain.libraries().join(".kafka-staging"))?;
    let library = staging.path().join("lib");
    let self_contained = library.join("self-contained");
    fs::create_dir_all(&self_contained).context("can't make a folder")?;
    copy_files(&built, &library, |name| {
        name.ends_with(".rlib") && !name.starts_with("libempty")
    })?;
    if target.has_libc() {
        copy_files(&source.libc, &self_contained, |name| {
            name.ends_with(".a") || name.ends_with(".o")
        })?;
    }
    toolchain.sign(staging.path())?;
    let place = toolchain.folder(target);
    scratch::remove(&place)?;
    fs::rename(staging.path(), &place)
        .with_context(|| format!("can't move the target to {}", place.display()))
}

/// Where the unpacked packages are.
struct Source {
    /// Rust's source, the folder that holds `library/`.
    rust: PathBuf,
    /// The compiled libc.
    libc: PathBuf,
}

/// Fetches the packages from the first mirror and suite that have both.
fn fetch_source(toolchain: &Toolchain, scratch: &Path) -> anyhow::Result<Source> {
    let mut failures = Vec::new();
    for mirror in debian::mirrors()? {
        for suite in SUITES {
            let folder = Scratch::create(scratch.join("apt"))?;
            match fetch_from(toolchain, &mirror, suite, folder.path(), scratch) {
                Ok(source) => return Ok(source),
                Err(error) => failures.push(format!("{mirror} {suite}: {error:#}")),
            }
        }
    }
    Err(anyhow!(
        "no Debian suite provided the packages:\n{}",
        failures.join("\n")
    ))
}

fn fetch_from(
    toolchain: &Toolchain,
    mirror: &str,
    suite: &str,
    folder: &Path,
    scratch: &Path,
) -> anyhow::Result<Source> {
    let release = &toolchain.release;
    let index = Suite::fetch(folder, mirror, suite)?;
    let rust = index.versions("rust-src")?;
    let rust = rust
        .iter()
        .find(|version| upstream(version) == release)
        .ok_or_else(|| anyhow!("has no rust-src {release}, only [{}]", rust.join(", ")))?;
    let libc = index.versions("wasi-libc")?;
    let libc = libc.first().ok_or_else(|| anyhow!("has no wasi-libc"))?;
    let unpacked = Source {
        rust: scratch.join(format!("usr/src/rustc-{release}")),
        libc: scratch.join("usr/lib").join(LIBC),
    };
    index.unpack("wasi-libc", libc, &[&format!("usr/lib/{LIBC}")], scratch)?;
    index.unpack(
        "rust-src",
        rust,
        &[&format!("usr/src/rustc-{release}/library")],
        scratch,
    )?;
    Ok(unpacked)
}

/// The upstream part of a Debian version: `1.95.0` of `1.95.0+dfsg1-2~bpo13+1`.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['+', '-', '~']).next().unwrap_or(version)
}

/// Compiles the standard library as the dependency of an empty crate; returns the folder of the results.
fn build_standard_library(
    toolchain: &Toolchain,
    target: Target,
    source: &Source,
    scratch: &Path,
) -> anyhow::Result<PathBuf> {
    let _link = SourceLink::create(&toolchain.libraries().join("src/rust"), &source.rust)?;
    let folder = scratch.join("empty");
    fs::create_dir_all(folder.join("src"))
        .and_then(|()| fs::write(folder.join("src/lib.rs"), "#![no_std]\n"))
        .and_then(|()| {
            let manifest = "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
            fs::write(folder.join("Cargo.toml"), manifest)
        })
        .context("can't write an empty crate")?;
    say(&format!(
        "compiling the standard library for {}",
        target.name
    ));
    let output = folder.join("target");
    let mut cargo = Command::new(toolchain.program("cargo"));
    super::components::forget_outer_cargo(&mut cargo);
    cargo
        .args(["build", "--release", "--target", target.name])
        .arg("-Zbuild-std=std,panic_abort,panic_unwind")
        .current_dir(&folder)
        .env("RUSTC", toolchain.program("rustc"))
        .env("CARGO_TARGET_DIR", &output)
        // Unstable flags on a stable compiler, for this one call.
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode in it, link-time optimisation of the components fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    step::run(&mut cargo)?;
    Ok(output.join(target.name).join("release/deps"))
}

/// Rust's source at the place where cargo looks for it, for as long as this lives.
struct SourceLink {
    /// `None` where the toolchain brought its own source.
    link: Option<PathBuf>,
}

impl SourceLink {
    fn create(link: &Path, source: &Path) -> anyhow::Result<Self> {
        if link.join("library/Cargo.lock").is_file() && !link.is_symlink() {
            return Ok(Self { link: None });
        }
        let folder = link.parent().unwrap_or(Path::new("/"));
        if link.is_symlink() {
            // Left by an interrupted run: it points into a scratch folder.
            fs::remove_file(link).with_context(|| format!("can't remove {}", link.display()))?;
        }
        fs::create_dir_all(folder)
            .and_then(|()| symlink(source, link))
            .with_context(|| format!("can't make the link {}", link.display()))?;
        Ok(Self {
            link: Some(link.to_owned()),
        })
    }
}

impl Drop for SourceLink {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            // One that stays behind is replaced by the next run, and a folder that is not empty was not ours.
            let _ = fs::remove_file(link);
            let _ = link.parent().map(fs::remove_dir);
        }
    }
}

/// Copies the files of one folder whose names are wanted.
fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("can't list {}", from.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("can't list {}", from.display()))?;
        if wanted(&entry.file_name().to_string_lossy()) {
            let place = to.join(entry.file_name());
            fs::copy(entry.path(), &place)
                .with_context(|| format!("can't write {}", place.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::upstream;

    #[test]
    fn reads_debian_versions() {
        for (version, expected) in [
            ("1.95.0+dfsg1-2~bpo13+1", "1.95.0"),
            ("1.95.0~beta.1+dfsg1-1", "1.95.0"),
            ("2:1.85.0-3", "1.85.0"),
            ("1.95.0", "1.95.0"),
            ("", ""),
        ] {
            assert_eq!(upstream(version), expected, "{version}");
        }
    }
}
