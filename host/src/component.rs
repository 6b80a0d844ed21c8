//! A component of the application: what the manifest and the operator grant its instances.

use crate::{
    gateway::control::Local, manifest::OutboundHosts, metrics::OfOneComponent, output::Output,
    places::Places, storage::KeyValue, stores::Source,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// A component, and all that its instances may use.
pub struct Component {
    /// Its id in the manifest.
    pub id: String,
    /// The application variables it sees.
    pub variables: BTreeMap<String, String>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The databases it may open, by label.
    pub databases: HashMap<String, Source>,
    /// The key-value stores it may open, by label.
    pub key_value: HashMap<String, Arc<KeyValue>>,
    /// The hosts it may call.
    pub outbound: OutboundHosts,
    /// The gateway of this process.
    pub gateway: Option<Arc<Local>>,
    /// Bytes of linear memory that one of its instances may use.
    pub max_memory: usize,
    /// Where its output goes.
    pub output: Output,
    /// The places of its instances.
    pub places: Places,
    /// What is counted of it, if that is wanted.
    pub metrics: Option<OfOneComponent>,
}
