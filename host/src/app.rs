//! The application that `spin.toml` describes, loaded: compiled components, databases, stores and variables.

use crate::{
    application::Application,
    compiled::Compiled,
    component::Component,
    gateway::control::Local,
    instance::State,
    manifest::{self, Manifest, Router},
    metrics,
    outbound::dial::Dialer,
    output::Output,
    places::{PRIVATE, Places, RETIRED, TAKING_REQUESTS},
    private,
    runtime_config::RuntimeConfig,
    spin,
    state::StateDir,
    storage::{Database, KeyValue, Sizes, Space},
    stores::{Source, Stores},
    thread::serving,
    trace::{self, Export},
};
use anyhow::Context;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::Semaphore;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, component::Linker,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

/// Bytes of linear memory that one instance may use unless it is set otherwise.
pub const MAX_INSTANCE_MEMORY: usize = 256 * 1024 * 1024;
/// How often running guests are interrupted so that others on the same thread get their turn.
const EPOCH: Duration = Duration::from_millis(2);
/// Core modules a component may consist of; those of `wasm32-wasip2` have two or three.
const MODULES_PER_COMPONENT: u32 = 8;
/// Stacks for each instance that takes requests: one, and more only for calls that block in the middle of a function.
const STACKS_PER_INSTANCE: u32 = 4;
/// Places beyond those that permits are given out for: an instance gives its permit back a moment before its place.
const SPARE_INSTANCES: usize = 32;

/// Where and how to load an application from.
#[derive(Clone)]
pub struct Settings {
    /// What to load.
    pub application: Arc<Application>,
    /// Folder of the databases and of compiled components.
    pub state_dir: PathBuf,
    /// Folder for what components print, if it should go to files as well as to the log.
    pub log_dir: Option<PathBuf>,
    /// Bytes of linear memory that one instance may use.
    pub max_instance_memory: usize,
    /// A PEM file of certificate authorities that are trusted beside the usual ones.
    pub ca_file: Option<PathBuf>,
    /// Where databases and stores are that are not in the state folder.
    pub runtime_config: RuntimeConfig,
    /// Values of application variables given on the command line; they win over `SPIN_VARIABLE_*`.
    pub variables: BTreeMap<String, String>,
    /// The gateway of this process; components that may publish to its address do so without a connection.
    pub gateway: Option<Arc<Local>>,
}

/// A loaded application.
pub struct App {
    /// Finds the component for a path.
    pub router: Router,
    /// All components by id.
    pub components: BTreeMap<String, Loaded>,
    /// Connects to other servers.
    pub dialer: Arc<Dialer>,
    databases: BTreeMap<String, Source>,
    key_value: BTreeMap<PathBuf, Arc<KeyValue>>,
    space: Arc<Space>,
    /// The places of instances that take no more requests.
    retired: Arc<Semaphore>,
    /// What sends spans to the collector.
    export: Mutex<Option<Export>>,
    /// Held, not used: it keeps a restore from replacing the databases.
    _state: StateDir,
}

/// A component, ready to be instantiated.
pub struct Loaded {
    /// The resources of its instances.
    pub granted: Arc<Component>,
    /// The compiled component, imports resolved.
    pub pre: ServicePre<State>,
}

impl App {
    /// Loads the application: compiles what is not kept in the state folder, opens (and creates) databases and stores.
    ///
    /// # Errors
    /// When the manifest is wrong or asks for something this host does not support, a component is missing or
    /// imports something unknown, a required variable has no value, or the state folder can't be used.
    pub async fn load(settings: &Settings) -> anyhow::Result<Self> {
        let manifest = settings.application.manifest()?;
        for folder in [Some(&settings.state_dir), settings.log_dir.as_ref()]
            .into_iter()
            .flatten()
        {
            // For its owner only: it has users' files in it, and code that this user will run. One that was there
            // stays as it is; the databases see to themselves.
            private::create_folder(folder)?;
        }
        let state = StateDir::share(&settings.state_dir)?;
        let space = Space::watch(&settings.state_dir)?;
        let engine = engine(&manifest, settings.max_instance_memory)?;
        let kept = Compiled::of(&settings.state_dir);
        let dialer = Arc::new(Dialer::new(settings.ca_file.as_deref())?);
        let export = trace::start(dialer.clone())?;
        let mut linker = Linker::new(&engine);
        spin::add_to_linker(&mut linker)?;
        let variables = manifest.resolve_variables(&settings.variables)?;
        let config = &settings.runtime_config;
        config.check_labels(&manifest.databases(), &manifest.stores())?;
        let mut stores = Stores::new(&settings.state_dir, config, dialer.clone(), space.clone());
        let mut granted = Vec::new();
        let retired = Arc::new(Semaphore::new(RETIRED));
        for (id, declared) in &manifest.components {
            let component = Component {
                id: id.clone(),
                variables: variables.of_component(declared)?,
                environment: declared.environment.clone(),
                databases: stores.databases(&declared.sqlite_databases).await?,
                key_value: stores.key_value(&declared.key_value_stores).await?,
                outbound: variables.outbound_hosts(declared)?,
                gateway: settings.gateway.clone(),
                max_memory: settings.max_instance_memory,
                output: Output::new(id, settings.log_dir.as_deref())
                    .context("can't open the component's log files")?,
                places: match manifest.private.contains(id) {
                    true => Places::private(),
                    false => Places::public(&retired),
                },
                metrics: metrics::get().map(|metrics| metrics.of_component(id)),
            };
            granted.push((id, declared, Arc::new(component)));
        }
        // After all that takes no time and may be wrong.
        let mut components = BTreeMap::new();
        for (id, declared, granted) in granted {
            let compiled = settings.application.component(&engine, &kept, declared);
            let pre = compiled
                .and_then(|component| link(&component, &linker, &declared.source))
                .with_context(|| format!("component {id:?}"))?;
            components.insert(id.clone(), Loaded { granted, pre });
        }
        start_epochs(&engine);
        Ok(Self {
            router: Router::new(&manifest)?,
            components,
            dialer,
            databases: stores.databases,
            key_value: stores.key_value,
            space,
            retired,
            export: Mutex::new(export),
            _state: state,
        })
    }

    /// Whether there is no room on the disk of the databases. A server looks after its own.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        self.files().next().is_some() && self.space.is_full()
    }

    /// The databases that are files, with their labels.
    fn files(&self) -> impl Iterator<Item = (&String, &Arc<Database>)> {
        let databases = self.databases.iter();
        databases.filter_map(|(label, database)| Some((label, database.file()?)))
    }

    /// How many instances take no more requests and still have work to do.
    #[must_use]
    pub fn retired(&self) -> usize {
        RETIRED - self.retired.available_permits()
    }

    /// The names and sizes of all databases that are files, that of the key-value stores included.
    pub fn sizes(&self) -> impl Iterator<Item = (String, Sizes)> {
        let key_value = self.key_value.values().map(|store| store.database());
        let databases = self.files().map(|(_, database)| database).chain(key_value);
        databases.map(|database| (database.name(), database.sizes()))
    }

    /// Stops all statements that run now.
    pub fn interrupt(&self) {
        for (_, database) in self.files() {
            database.interrupt();
        }
    }

    /// Closes the databases, so that the files on disk are complete without their write-ahead logs, and sends the last
    /// spans.
    pub async fn close(&self) {
        let export = self.export.lock().take();
        for (label, database) in self.files() {
            if let Err(error) = database.close().await {
                tracing::warn!("database {label:?} was not closed cleanly: {error}");
            }
        }
        for store in self.key_value.values() {
            if let Err(error) = store.close().await {
                tracing::warn!("the key-value stores were not closed cleanly: {error}");
            }
        }
        if let Some(export) = export {
            export.end().await;
        }
    }
}

/// The engine: pooled instances, and epochs against endless loops.
///
/// # Errors
/// When the system has not enough address space.
pub fn engine(manifest: &Manifest, max_instance_memory: usize) -> anyhow::Result<Engine> {
    let private = manifest.private.len();
    let public = manifest.components.len() - private;
    let taking_requests = u32::try_from(public * TAKING_REQUESTS + SPARE_INSTANCES);
    let taking_requests = taking_requests.context("too many components")?;
    // One of each private component is made ahead on each thread.
    let ahead = private * serving();
    let others = u32::try_from(private * PRIVATE + RETIRED + ahead);
    let others = others.context("too many components")?;
    let instances = taking_requests + others;
    // A component and each of its dependencies have modules and a memory of their own. Memories are counted, since address
    // space for as many as it could be is not always there.
    let parts_of = |component: &manifest::Component| 1 + component.dependencies.len();
    let parts = manifest.components.values().map(parts_of).max();
    let parts = parts.unwrap_or(1);
    let memories = manifest.components.iter().map(|(id, component)| {
        let places = match manifest.private.contains(id) {
            true => PRIVATE,
            false => TAKING_REQUESTS,
        };
        places * parts_of(component)
    });
    let memories = memories.sum::<usize>() + (SPARE_INSTANCES + RETIRED + ahead) * parts;
    let memories = u32::try_from(memories).context("too many components")?;
    let parts = u32::try_from(parts).context("too many dependencies")?;
    let modules = parts * MODULES_PER_COMPONENT;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances * modules)
        .total_memories(memories)
        .total_tables(instances * modules)
        .total_stacks(taking_requests * STACKS_PER_INSTANCE + others)
        .max_core_instances_per_component(modules)
        .max_memories_per_component(parts)
        .max_tables_per_component(modules)
        .max_component_instance_size(4 * 1024 * 1024)
        .max_core_instance_size(1024 * 1024)
        .table_elements(100_000)
        .max_memory_size(max_instance_memory)
        .linear_memory_keep_resident(0)
        .table_keep_resident(0);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Ok(Engine::new(&config)?)
}

fn link(
    component: &wasmtime::component::Component,
    linker: &Linker<State>,
    source: &Path,
) -> anyhow::Result<ServicePre<State>> {
    let pre = linker
        .instantiate_pre(component)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("{} imports what this host does not have", source.display()))?;
    ServicePre::new(pre)
        .map_err(anyhow::Error::from)
        .with_context(|| {
            format!(
                "{} is no HTTP component (wasi:http/handler@0.3)",
                source.display()
            )
        })
}

/// Ticks for as long as the process lives; the thread holds nothing but a handle to the engine.
fn start_epochs(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(EPOCH);
        }
    });
}
