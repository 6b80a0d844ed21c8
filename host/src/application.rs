//! Where an application comes from: the folder of its manifest, or this program, which may carry one.

use crate::{manifest::Manifest, packed::Packed};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
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

    /// The component whose source the manifest calls so.
    ///
    /// # Errors
    /// When it is missing, or is no component.
    pub fn component(&self, engine: &Engine, source: &Path) -> anyhow::Result<Component> {
        let manifest = match self {
            Self::Folder(manifest) => manifest,
            Self::Packed(packed) => return packed.component(engine, source),
        };
        let file = manifest.parent().unwrap_or(Path::new("")).join(source);
        if !file.exists() {
            bail!("{} does not exist; `kafka build` makes it", file.display());
        }
        Component::from_file(engine, &file)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("{} is no component", file.display()))
    }
}
