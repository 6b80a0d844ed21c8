//! Compiled components, each in a file of the state folder: machine code as it is, which a start maps into memory, so that
//! it reads only what runs, and all processes of a machine share it (docs/decisions.md#compiled-components-are-mapped).
//!
//! wasmtime's own cache would do without this file, but it compresses what it keeps, and has no other way: to unpack it was
//! the largest part of a start.

use crate::private;
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::digest::{SHA256, digest};
use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};
use uuid::Uuid;
use wasmtime::{Engine, component::Component};

/// Bytes that they have together at most. What has not been used for longest is removed.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// A folder of compiled components.
#[derive(Debug)]
pub struct Compiled(PathBuf);

impl Compiled {
    /// That of a state folder. It is made when something is kept there.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self(state_dir.join("cache"))
    }

    /// This component, compiled unless it is kept here for such an engine.
    ///
    /// # Errors
    /// When it is no component, or one that the engine can't compile. That it can't be kept is logged.
    pub fn component(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Component> {
        let file = self.0.join(name(engine, wasm));
        if let Ok(component) = load(engine, &file) {
            is_used(&file);
            return Ok(component);
        }
        let compiled = engine.precompile_component(wasm)?;
        match self.keep(&file, &compiled) {
            // Unless another process has removed it already.
            Ok(()) => load(engine, &file).or_else(|_| take(engine, &compiled)),
            Err(error) => {
                tracing::warn!("a compiled component is not kept: {error:#}");
                take(engine, &compiled)
            }
        }
    }

    /// Writes a file whole or not at all, and makes room for it.
    fn keep(&self, file: &Path, compiled: &[u8]) -> anyhow::Result<()> {
        private::create_folder(&self.0)?;
        let part = self.0.join(format!("{}.part", Uuid::now_v7()));
        let written = private::create(&part).and_then(|mut to| {
            to.write_all(compiled)?;
            // A file that lost its content in a power cut would be taken for machine code.
            to.sync_all()?;
            fs::rename(&part, file)
        });
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written.with_context(|| format!("can't write {}", file.display()))?;
        if let Err(error) = self.make_room(MOST_BYTES) {
            tracing::warn!("can't make room in {}: {error}", self.0.display());
        }
        Ok(())
    }

    /// Removes what has not been used for longest, until the rest has at most so many bytes.
    fn make_room(&self, most: u64) -> io::Result<()> {
        // Where earlier versions kept theirs.
        let _ = fs::remove_dir_all(self.0.join("modules"));
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            // Unless another process has removed it.
            if let Ok(about) = entry.metadata()
                && about.is_file()
            {
                kept.push((about.modified()?, about.len(), entry.path()));
            }
        }
        kept.sort_unstable();
        let mut bytes = 0;
        for (_, length, file) in kept.into_iter().rev() {
            bytes += length;
            if bytes > most {
                let _ = fs::remove_file(file);
            }
        }
        Ok(())
    }
}

/// The name of a component's file: other code, another version of wasmtime, and other settings have another one.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let code = BASE64.encode(digest(&SHA256, wasm));
    format!("{:016x}-{code}", settings.finish())
}

/// Notes that a file is used, for [`Compiled::make_room`]. Where that can't be noted, it is removed early.
fn is_used(file: &Path) {
    let _ = File::open(file).and_then(|file| file.set_modified(SystemTime::now()));
}

/// Maps a compiled component that is kept; where code may not be run from its file system, it is read.
///
/// # Errors
/// When it is not there, or was compiled by another version, for another processor or with other settings.
#[expect(
    unsafe_code,
    reason = "nothing checks that machine code does what it should; the state folder is its owner's, as the program is"
)]
fn load(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file has what `precompile_component` returned, since it gets this name when all of that is on the disk,
    // and is never written to again. Who can change the state folder can change the databases as well, and is this
    // process's own user.
    match unsafe { Component::deserialize_file(engine, file) } {
        Ok(component) => Ok(component),
        Err(_) => take(engine, &fs::read(file)?),
    }
}

/// Takes a compiled component as it is.
///
/// # Errors
/// As [`load`].
#[expect(
    unsafe_code,
    reason = "as in `load`, or compiled by this process just now"
)]
fn take(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: see `load`.
    unsafe { Component::deserialize(engine, compiled) }
}

#[cfg(test)]
mod tests {
    use super::Compiled;
    use std::{
        fs::{self, File},
        time::{Duration, SystemTime},
    };
    use wasmtime::Engine;

    /// An empty component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_was_compiled_once_is_taken_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (compiled, engine) = (Compiled::of(folder.path()), Engine::default());
        compiled.component(&engine, EMPTY).unwrap();
        let files: Vec<_> = fs::read_dir(&compiled.0).unwrap().collect();
        assert_eq!(files.len(), 1);
        let file = files[0].as_ref().unwrap().path();
        assert!(super::load(&engine, &file).is_ok());
        // One that is none of ours is compiled again.
        fs::write(&file, b"else").unwrap();
        assert!(super::load(&engine, &file).is_err());
        compiled.component(&engine, EMPTY).unwrap();
        assert!(super::load(&engine, &file).is_ok());
        assert!(compiled.component(&engine, b"no component").is_err());
        assert_eq!(fs::read_dir(&compiled.0).unwrap().count(), 1);
    }

    #[test]
    fn other_settings_have_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = Compiled::of(folder.path());
        compiled.component(&Engine::default(), EMPTY).unwrap();
        let mut other = wasmtime::Config::new();
        other.epoch_interruption(true);
        let other = Engine::new(&other).unwrap();
        compiled.component(&other, EMPTY).unwrap();
        assert_eq!(fs::read_dir(&compiled.0).unwrap().count(), 2);
    }

    #[test]
    fn what_was_not_used_for_longest_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = Compiled(folder.path().to_owned());
        for (name, age) in [("old", 3), ("older", 5), ("new", 1)] {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_len(10).unwrap();
            let used = SystemTime::now() - Duration::from_hours(age);
            file.set_modified(used).unwrap();
        }
        compiled.make_room(20).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert_eq!(
            (left("older"), left("old"), left("new")),
            (false, true, true)
        );
    }
}
