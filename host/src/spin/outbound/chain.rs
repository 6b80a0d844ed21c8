//! Service chaining: one component calls another one of the same application, on the same thread, without a connection.
//!
//! As in Spin, the name is `<component id>.spin.internal`, and the caller's `allowed_outbound_hosts` must allow it. Only
//! components with a private route can be called here; Spin lets components with a public one be called, too.

use crate::{instance::Handler, server::answer};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use wasmtime_wasi_http::{Error, WasiBody, handler::ProxyHandler};

/// What is behind the id of a component in a host's name.
const SUFFIX: &str = ".spin.internal";

/// The private components of one thread.
#[derive(Default)]
pub struct Chain(Mutex<BTreeMap<String, ProxyHandler<Handler>>>);

impl Chain {
    /// Lets components be called.
    pub fn fill(&self, handlers: impl IntoIterator<Item = (String, ProxyHandler<Handler>)>) {
        let mut chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chain.extend(handlers);
    }

    /// Lets go of all components: they hold this.
    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The id of the component that a host names, whatever its case; `None`: the host is elsewhere.
    pub fn id(host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let host = host.strip_suffix('.').unwrap_or(&host);
        host.strip_suffix(SUFFIX).map(str::to_owned)
    }

    /// Lets the component answer a request.
    ///
    /// # Errors
    /// When there is no such private component, it has no instance to spare, or it failed.
    pub async fn call(
        &self,
        id: &str,
        request: http::Request<WasiBody>,
    ) -> Result<http::Response<WasiBody>, Error> {
        let handler = {
            let chain = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            chain.get(id).cloned()
        };
        let handler = handler.ok_or(Error::DestinationNotFound)?;
        answer(&handler, request).await.map_err(|error| {
            tracing::error!(component = id, "no answer to another component: {error:?}");
            Error::InternalError(Some(format!("component {id} did not answer")))
        })
    }
}
