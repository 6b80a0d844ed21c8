//! The routes of a component: operations of the API and what answers them.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};

use crate::api::{Operation, Verb};

/// Collects routes. Only what [`crate::api`] declares can become one, so the API's description has them all.
///
/// ```ignore
/// Routes::new().on(&api::chat::NEW, create::create).on(&api::chat::RENAME, rename::rename)
/// ```
#[derive(Debug, Default)]
pub struct Routes {
    router: Router,
    /// The paths at which sockets are.
    sockets: Vec<&'static str>,
}

impl Routes {
    /// No routes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `handler` answer `operation`. It takes [`crate::access::Access`], `axum::extract::Path<String>` (which never
    /// fails: a path that isn't UTF-8 is 404 before) and the request itself.
    ///
    /// Inlined, so that of a constant operation nothing but the method and the path gets into the component.
    #[inline(always)]
    pub fn on<H, T>(mut self, operation: &Operation, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        let route = on(filter(operation.verb()), handler);
        if operation.takes_events() {
            self.sockets.push(operation.path());
        }
        self.router = self.router.route(operation.path(), route);
        self
    }

    /// The router, and the paths at which sockets are.
    pub(super) fn into_parts(self) -> (Router, Vec<&'static str>) {
        (self.router, self.sockets)
    }
}

const fn filter(verb: Verb) -> MethodFilter {
    match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
        Verb::Patch => MethodFilter::PATCH,
        Verb::Delete => MethodFilter::DELETE,
    }
}
