//! `kafka pack`.

use super::{Source, build_all};
use crate::{
    app, application,
    compiled::Compiled,
    manifest::Manifest,
    packed::{self, ToPack},
    private,
};
use anyhow::Context;
use clap::Args;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Write one program that carries the application
///
/// It is this program with spin.toml and the compiled components, and runs on machines that have neither Rust nor the
/// source. It takes the options and commands of this one. The components are compiled for processors that can what this
/// machine's can; on others the first start compiles them again.
#[derive(Debug, Args)]
pub struct Pack {
    /// The new program
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// Don't build; pack what was built before
    #[arg(long)]
    no_build: bool,
    /// The folder in whose cache compiled components are looked for, and kept
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
}

impl Pack {
    /// Packs.
    ///
    /// # Errors
    /// When the components can't be built or compiled, or the file can't be written.
    pub fn run(self) -> anyhow::Result<()> {
        private::check_place(&self.file)?;
        let path = self.source.file();
        if !self.no_build {
            build_all(&path)?;
        }
        let manifest = Manifest::load(&path)?;
        let text = fs::read_to_string(&path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        private::create_folder(&self.state_dir)?;
        let engine = app::engine(&manifest, app::MAX_INSTANCE_MEMORY)?;
        let kept = Compiled::of(&self.state_dir);
        let mut components = BTreeMap::new();
        for component in manifest.components.values() {
            let parts = component.parts();
            if components.contains_key(&parts) {
                continue;
            }
            let read = || {
                let wasm = application::read(folder, component)?;
                let compiled = kept.component(&engine, &wasm)?.serialize()?;
                anyhow::Ok(ToPack { wasm, compiled })
            };
            let to_pack = read().with_context(|| format!("can't pack {parts}"))?;
            components.insert(parts, to_pack);
        }
        packed::write(&self.file, text, components)
    }
}
