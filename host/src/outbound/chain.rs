//! Service chaining: one component calls another one of the same application, on the same thread, without a connection.
//!
//! As in Spin, the name is `<component id>.spin.internal`, and the caller's `allowed_outbound_hosts` must allow it.
//! Only components with a private route can be called here; Spin lets components with a public one be called, too.

use crate::answer::{full, said_length};
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};
use wasmtime_wasi_http::{Error, WasiBody};

/// The end of a host's name after the id of a component.
const SUFFIX: &str = ".spin.internal";

/// A body of at most so many bytes is handed on in one piece.
const WHOLE: u64 = 64 * 1024;

/// Lets a component answer a request.
pub type Callee = Arc<
    dyn Fn(Request<WasiBody>) -> BoxFuture<'static, wasmtime::Result<Response<WasiBody>>>
        + Send
        + Sync,
>;

/// The private components of one thread.
#[derive(Default)]
pub struct Chain(Mutex<BTreeMap<String, Callee>>);

impl Chain {
    /// Lets components be called.
    pub fn fill(&self, callees: impl IntoIterator<Item = (String, Callee)>) {
        let mut chain = self.0.lock();
        chain.extend(callees);
    }

    /// Drops all components, which hold this.
    pub fn clear(&self) {
        self.0.lock().clear();
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
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Error> {
        let callee = {
            let chain = self.0.lock();
            chain.get(id).cloned()
        };
        let callee = callee.ok_or(Error::DestinationNotFound)?;
        let request = whole(request).await?;
        callee(request).await.map_err(|error| {
            // Where in the component it failed, its instance logs.
            let why = error.root_cause();
            tracing::error!(component = id, "no answer to another component: {why}");
            Error::InternalError(Some(format!("component {id} did not answer")))
        })
    }
}

/// The request with its body, if it says that this is short: the caller has it ready, and the callee waits for nothing.
async fn whole(request: Request<WasiBody>) -> Result<Request<WasiBody>, Error> {
    if said_length(request.headers()).is_none_or(|length| length > WHOLE) {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let body = Limited::new(body, WHOLE as usize).collect().await;
    let body = body
        .map_err(|_| Error::HttpRequestBodySize(Some(WHOLE)))?
        .to_bytes();
    Ok(Request::from_parts(head, full(body)))
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, whole};
    use crate::answer::full;
    use http::{Request, header};
    use http_body_util::BodyExt;
    use wasmtime_wasi_http::{Error, WasiBody};

    /// A request with a body of `length` bytes that says it has `said`.
    fn request(said: u64, length: u64) -> Request<WasiBody> {
        let body = vec![b'x'; length as usize];
        let request = Request::builder().header(header::CONTENT_LENGTH, said);
        request.body(full(body)).expect("a request")
    }

    #[tokio::test]
    async fn a_body_that_is_longer_than_it_says_is_not_gathered_for_ever() {
        let error = whole(request(5, WHOLE + 1)).await.expect_err("too long");
        assert!(
            matches!(error, Error::HttpRequestBodySize(Some(WHOLE))),
            "{error:?}"
        );
        // Where it says so it is handed on as it comes.
        for length in [WHOLE, WHOLE + 1] {
            let body = whole(request(length, length))
                .await
                .expect("a request")
                .into_body();
            let body = body.collect().await.expect("a body").to_bytes();
            assert_eq!(body.len() as u64, length);
        }
    }
}
