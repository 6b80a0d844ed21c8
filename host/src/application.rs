//! Where an application comes from: the folder of its manifest, or this program, which may carry one.

use crate::{
    compiled::Compiled,
    manifest::{self, Dependency, Manifest},
    packed::Packed,
};
use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};
use wasmtime::{Engine, component::Component};

/// An application that is not loaded.
#[derive(Debug)]
pub enum Application {
    /// The one that this manifest describes, with its components as files.
    Folder(PathBuf),
    /// The one that this program carries.
    Packed(Packed),
}

impl Application {
    /// Its manifest.
    ///
    /// # Errors
    /// When there is none, or it can't be used.
    pub fn manifest(&self) -> anyhow::Result<Manifest> {
        match self {
            Self::Folder(manifest) => Manifest::load(manifest),
            Self::Packed(packed) => Manifest::parse(packed.manifest()),
        }
    }

    /// The component that the manifest declares so, where it was compiled before as it is kept there.
    ///
    /// # Errors
    /// When it or a dependency is missing, or is no component, or they don't fit.
    pub fn component(
        &self,
        engine: &Engine,
        compiled: &Compiled,
        declared: &manifest::Component,
    ) -> anyhow::Result<Component> {
        let manifest = match self {
            Self::Folder(manifest) => manifest,
            Self::Packed(packed) => return packed.component(engine, compiled, &declared.parts()),
        };
        let folder = manifest.parent().unwrap_or(Path::new(""));
        compiled
            .component(engine, &read(folder, declared)?)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("{} is no component", declared.parts()))
    }
}

/// The component as WebAssembly, composed with its dependencies. Their files are relative to `folder`.
///
/// # Errors
/// When a file is missing, or is no component, or they don't fit.
pub fn read(folder: &Path, declared: &manifest::Component) -> anyhow::Result<Vec<u8>> {
    let read = |file: &Path| {
        let file = folder.join(file);
        if !file.exists() {
            bail!("{} does not exist; `kafka build` makes it", file.display());
        }
        fs::read(&file).with_context(|| format!("can't read {}", file.display()))
    };
    let mut wasm = read(&declared.source)?;
    for (import, Dependency { path }) in &declared.dependencies {
        let dependency = read(path)?;
        wasm = kafka_compose::compose(wasm, import, dependency)
            .with_context(|| format!("can't compose {}", declared.parts()))?;
    }
    Ok(wasm)
}
