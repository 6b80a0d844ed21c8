//! What the fake providers share: an HTTP server that lasts as long as the process.

use anyhow::Context;
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};
use tokio::net::TcpListener;

/// Listens on `listen`, prints `greeting`, and answers every request with `answer`; each connection is a
/// task of its own.
pub async fn serve<A, F, B>(
    listen: &str,
    greeting: impl FnOnce(SocketAddr) -> String,
    answer: A,
) -> anyhow::Result<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("can't listen on {listen}"))?;
    let address = listener.local_addr()?;
    writeln!(
        io::stdout(),
        "Serving http://{address}\n{}",
        greeting(address)
    )?;
    serve_on(listener, answer).await
}

/// The same with a listener that is there, and without a word.
pub async fn serve_on<A, F, B>(listener: TcpListener, answer: A) -> anyhow::Result<()>
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // For instance, too many files are open.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Without it every other word of a model would wait for an acknowledgement; a failure costs only that.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        // A broken connection is the client's business, or what was asked for.
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}
