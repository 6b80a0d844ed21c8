//! Outbound HTTP: a component reaches only the hosts that `allowed_outbound_hosts` grants.

pub mod chain;
pub mod client;
pub mod connect;
pub mod dial;
pub mod send;
mod tls;

use crate::{
    component::Component,
    gateway::control::{Local, response},
    metrics::Destination,
    trace,
};
use chain::Chain;
use http_body_util::{BodyExt, Limited};
use kafka_grip::ORIGINS;
use send::Sender;
use std::sync::Arc;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The variable that allows users to name private addresses.
const ALLOW_PRIVATE: &str = "allow_private_models";
/// The variable that decides it where that one is empty: without a login, the only user is the operator.
const AUTH_MODE: &str = "auth_mode";

/// The variable with the address of a database that components speak to by HTTP.
const DATABASE: &str = "database_url";

/// The HTTP hooks of one component's instances.
pub struct Hooks {
    /// The component of the instances.
    pub component: Arc<Component>,
    /// The components that it may call on its thread.
    pub chain: Arc<Chain>,
    /// Its thread's connections to other servers.
    pub sender: Arc<Sender>,
    /// The span of the request that sends the next one, if it is traced.
    pub caller: Option<trace::Context>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Answer {
        let caller = self.caller.take();
        let tracer = caller.and_then(|caller| Some((trace::get()?, caller)));
        let mut span = tracer.map(|(tracer, caller)| tracer.call(&caller, &request));
        if let Some(span) = &span {
            span.context().put_into(request.headers_mut());
        }
        let (to, answer) = self.begin(request, options);
        let mut call = self
            .component
            .metrics
            .as_ref()
            .map(|metrics| metrics.call(to));
        if call.is_none() && span.is_none() {
            return answer;
        }
        Box::new(async move {
            let answered = Box::into_pin(answer).await;
            if let Some(call) = &mut call {
                match &answered {
                    Ok((response, _)) => call.answered(response.status()),
                    Err(Error::HttpRequestDenied) => call.refused(),
                    Err(_) => call.failed(),
                }
            }
            if let Some(span) = &mut span {
                match &answered {
                    Ok((response, _)) => span.answered(response.status()),
                    Err(_) => span.fail(),
                }
            }
            answered
        })
    }
}

impl Hooks {
    /// Where the request goes, and its answer, which must be polled.
    fn begin(
        &self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> (Destination, Answer) {
        let uri = request.uri();
        let scheme = uri.scheme_str().unwrap_or("https");
        let default_port = if scheme == "http" { 80 } else { 443 };
        let allowed = uri.host().is_some_and(|host| {
            let port = uri.port_u16().unwrap_or(default_port);
            self.component.outbound.allows(scheme, host, port)
        });
        if !allowed {
            tracing::warn!(
                "outbound request to {scheme}://{} refused: not in allowed_outbound_hosts",
                uri.authority().map_or("", |authority| authority.as_str())
            );
            let denied = Box::new(async { Err(Error::HttpRequestDenied) });
            return (Destination::Network, denied);
        }
        if let Some(id) = uri.host().and_then(Chain::id) {
            let chain = self.chain.clone();
            let called = Box::new(async move {
                let response = chain.call(&id, request).await?;
                Ok((response, Box::new(async { Ok(()) }) as Io))
            });
            return (Destination::Component, called);
        }
        if let Some(local) = &self.component.gateway
            && local.is_at(uri)
        {
            let published = Box::new(publish(local.clone(), request));
            return (Destination::Gateway, published);
        }
        let private = self.may_be_private(uri);
        let sender = self.sender.clone();
        let sent = Box::new(async move {
            let response = sender.send(request, options, private).await?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        });
        (Destination::Network, sent)
    }

    /// Whether what `uri` names may turn out to be an address of this machine or of a private network. The component
    /// has looked at the URL; only here is it known which address a name has in the end.
    fn may_be_private(&self, uri: &http::Uri) -> bool {
        let variables = &self.component.variables;
        let allowed = match variables.get(ALLOW_PRIVATE).map(|value| value.trim()) {
            None | Some("true") => true,
            Some("") => variables
                .get(AUTH_MODE)
                .is_some_and(|mode| mode.trim() == "open"),
            Some(_) => false,
        };
        // Gateways and the database are the operator's choice.
        let mut of_operator = ORIGINS
            .iter()
            .chain([&DATABASE])
            .filter_map(|name| variables.get(*name));
        allowed
            || of_operator.any(|origin| {
                origin.parse::<http::Uri>().is_ok_and(|origin| {
                    origin.scheme() == uri.scheme() && origin.authority() == uri.authority()
                })
            })
    }
}

/// A publish request to this process's own gateway, without a connection.
async fn publish(
    local: Arc<Local>,
    request: http::Request<WasiBody>,
) -> Result<(http::Response<WasiBody>, Io), Error> {
    let (parts, body) = request.into_parts();
    let gateway = &local.gateway;
    let checked = gateway.check_publish(&parts.method, parts.uri.path(), &parts.headers);
    let answer = match checked {
        Ok(()) => {
            let body = Limited::new(body, crate::gateway::MAX_PUBLISH).collect();
            let body = body
                .await
                .map_err(|_| Error::HttpRequestBodySize(None))?
                .to_bytes();
            gateway.publish(&body)
        }
        Err(refusal) => refusal,
    };
    let response = response(answer).map(|body| body.map_err(|never| match never {}).boxed_unsync());
    Ok((response, Box::new(async { Ok(()) })))
}
