//! Outbound HTTP: a component reaches what `allowed_outbound_hosts` grants it, nothing else.

use crate::manifest::OutboundHosts;
use http_body_util::BodyExt;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

/// The HTTP hooks of one component's instances.
pub struct Hooks {
    /// What the component's table in `spin.toml` grants, variables resolved.
    pub allowed: Arc<OutboundHosts>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send> {
        let uri = request.uri();
        let scheme = uri.scheme_str().unwrap_or("https");
        let default_port = if scheme == "http" { 80 } else { 443 };
        let allowed = uri.host().is_some_and(|host| {
            let port = uri.port_u16().unwrap_or(default_port);
            self.allowed.allows(scheme, host, port)
        });
        if !allowed {
            tracing::warn!(
                "outbound request to {scheme}://{} refused: not in allowed_outbound_hosts",
                uri.authority().map_or("", |authority| authority.as_str())
            );
            return Box::new(async { Err(Error::HttpRequestDenied) });
        }
        Box::new(async move {
            let (response, io) = default_send_request(request, options).await?;
            Ok((response.map(BodyExt::boxed_unsync), Box::new(io) as Io))
        })
    }
}
