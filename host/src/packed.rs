//! A program that carries an application: manifest and components are appended to a copy of this program, behind them an
//! index, and at the end a trailer by which they are found (docs/running.md#one-file).
//!
//! Each component is there twice: compiled for processors such as that of the machine that packed it, and as
//! WebAssembly, for other ones.

use crate::compiled::Compiled;
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};
use wasmtime::{Engine, component::Component};

/// The last bytes of a packed program. They count up with what they mean.
const MAGIC: &[u8; 16] = b"kafka packed 1\r\n";
/// Bytes of the trailer: the length of the index, and the magic.
const TRAILER: u64 = 24;

/// A part of the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Part {
    offset: u64,
    length: u64,
}

/// A component, twice.
#[derive(Debug, Serialize, Deserialize)]
struct Parts {
    wasm: Part,
    compiled: Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    /// The text of the manifest.
    manifest: String,
    /// The components by what they are composed of.
    components: BTreeMap<String, Parts>,
}

/// The application that this program carries.
#[derive(Debug)]
pub struct Packed {
    program: File,
    index: Index,
}

impl Packed {
    /// What this program carries; `None`: nothing.
    ///
    /// # Errors
    /// When the program can't read itself, or what it carries is not whole.
    pub fn of_this_program() -> anyhow::Result<Option<Self>> {
        let program = File::open("/proc/self/exe").context("the program can't read itself")?;
        let length = program.metadata()?.len();
        let Some(index) = index_of(&program, length)? else {
            return Ok(None);
        };
        let index = read(&program, index).context("the program is not whole")?;
        let index = serde_json::from_slice(&index).context("the program is not whole")?;
        Ok(Some(Self { program, index }))
    }

    /// The text of the manifest.
    #[must_use]
    pub fn manifest(&self) -> &str {
        &self.index.manifest
    }

    /// The component that is composed of this, as [`manifest::Component::parts`](crate::manifest::Component::parts) has it;
    /// where it must be compiled again, as it is `kept`.
    ///
    /// # Errors
    /// When it is not there, or can't be read or compiled.
    pub fn component(
        &self,
        engine: &Engine,
        kept: &Compiled,
        source: &str,
    ) -> anyhow::Result<Component> {
        let parts = self.index.components.get(source);
        let parts = parts.with_context(|| format!("the program does not carry {source}"))?;
        let compiled = read(&self.program, parts.compiled)?;
        match deserialize(engine, &compiled) {
            Ok(component) => Ok(component),
            Err(error) => {
                tracing::warn!("{source} is compiled again, which takes a while: {error}");
                let wasm = read(&self.program, parts.wasm)?;
                Ok(kept.component(engine, &wasm)?)
            }
        }
    }
}

/// Takes a compiled component as it is, unless it was compiled by another version, for another processor or with other
/// settings.
#[expect(
    unsafe_code,
    reason = "nothing checks that machine code does what it should; it is part of this program, as trusted as the rest"
)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from this program's own file, where `pack` has put what `Component::serialize` returned.
    // Who can change them can change the program's own code as well.
    unsafe { Component::deserialize(engine, compiled) }
}

/// Where the index is, in a program of this length; `None`: it carries nothing.
fn index_of(program: &File, length: u64) -> io::Result<Option<Part>> {
    let Some(start) = length.checked_sub(TRAILER) else {
        return Ok(None);
    };
    let (mut length, mut magic) = ([0; 8], [0; MAGIC.len()]);
    program.read_exact_at(&mut magic, start + length.len() as u64)?;
    if magic != *MAGIC {
        return Ok(None);
    }
    program.read_exact_at(&mut length, start)?;
    let length = u64::from_be_bytes(length);
    Ok(start
        .checked_sub(length)
        .map(|offset| Part { offset, length }))
}

fn read(file: &File, part: Part) -> io::Result<Vec<u8>> {
    let length = usize::try_from(part.length).map_err(io::Error::other)?;
    if part.offset.saturating_add(part.length) > file.metadata()?.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, part.offset)?;
    Ok(bytes)
}

/// A component to be packed.
pub struct ToPack {
    /// As WebAssembly.
    pub wasm: Vec<u8>,
    /// Compiled.
    pub compiled: Vec<u8>,
}

/// Writes a program that carries the application with these components, by what they are composed of. A file of that name is
/// replaced, when the new one is whole.
///
/// # Errors
/// When this program carries one itself, or the file can't be written.
pub fn write(
    file: &Path,
    manifest: String,
    components: BTreeMap<String, ToPack>,
) -> anyhow::Result<()> {
    let program = env::current_exe().context("the program does not find itself")?;
    let program = fs::read(program).context("the program can't read itself")?;
    if program.ends_with(MAGIC) {
        bail!(
            "this program carries an application already; copy it, or pack with one that does not"
        );
    }
    let name = file.file_name().context("the file has no name")?;
    let mut unfinished = name.to_owned();
    unfinished.push(".part");
    let unfinished = file.with_file_name(unfinished);
    let written = put_together(&unfinished, &program, manifest, components)
        .and_then(|()| fs::rename(&unfinished, file));
    if written.is_err() {
        // What is left of it is of no use, and the first error says what was wrong.
        let _ = fs::remove_file(&unfinished);
    }
    written.with_context(|| format!("can't write {}", file.display()))
}

fn put_together(
    path: &Path,
    program: &[u8],
    manifest: String,
    components: BTreeMap<String, ToPack>,
) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o755);
    let file = options.open(path)?;
    let mut end = 0;
    let mut out = BufWriter::new(file);
    let mut put = |bytes: &[u8]| {
        let part = Part {
            offset: end,
            length: bytes.len() as u64,
        };
        end += part.length;
        out.write_all(bytes).map(|()| part)
    };
    put(program)?;
    let mut index = Index {
        manifest,
        components: BTreeMap::new(),
    };
    for (composed, ToPack { wasm, compiled }) in components {
        let parts = Parts {
            wasm: put(&wasm)?,
            compiled: put(&compiled)?,
        };
        index.components.insert(composed, parts);
    }
    let index = serde_json::to_vec(&index)?;
    put(&index)?;
    put(&(index.len() as u64).to_be_bytes())?;
    put(MAGIC)?;
    out.into_inner()?.sync_all()
}
