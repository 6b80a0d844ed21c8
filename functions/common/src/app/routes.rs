//! The routes of a component: operations of the API and what answers them.

use axum::Router;
use axum::handler::Handler;
use axum::routing::on;

use crate::api::Operation;

/// Collects routes. Only what [`crate::api`] declares can become one, so the API's description has them all.
///
/// ```ignore
/// Routes::new().on(&api::chat::NEW, create::create).on(&api::chat::RENAME, rename::rename)
/// ```
#[derive(Debug, Default)]
pub struct Routes(Router);

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
    pub fn on<H, T>(self, operation: &Operation, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        let route = on(operation.verb().filter(), handler);
        Self(self.0.route(operation.path(), route))
    }

    pub(super) fn into_router(self) -> Router {
        self.0
    }
}
