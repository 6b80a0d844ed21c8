//! `kafka gateway`: the gateway alone, in front of a running Spin.

use super::{Clients, announce, runtime, stop_signal};
use crate::{
    gateway::{Gateway, Keys, Limits, child::Behind, control, new_grip_url, origins},
    log::{self, Format},
    network::{LOCAL_PROXIES, Proxies},
    server::{self, Origin, Server, Site},
};
use anyhow::Context;
use clap::Args;
use kafka_grip::ORIGINS;
use std::{ffi::OsString, process::ExitCode, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::sleep};

/// The default address for publish requests, which is Pushpin's.
const CONTROL: &str = "127.0.0.1:5561";
/// How often a starting upstream is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Hold the WebSockets of an application that runs elsewhere, and pass other requests on.
///
/// A command is started with a control address and keys in SPIN_VARIABLE_GRIP_URL and SPIN_VARIABLE_GRIP_ORIGIN. The gateway stops it when it stops itself, and exits with its exit code when it ends.
#[derive(Debug, Args)]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    listen: String,
    /// The application, as http://HOST:PORT
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    upstream: String,
    /// Address for publish requests; by default 127.0.0.1:5561, with a command a free port
    #[arg(long, value_name = "ADDR")]
    control: Option<String>,
    /// The keys, as in the variable grip_url, which may name further gateways after this one; without it, publish
    /// requests are not checked, and requests to the application are not signed
    #[arg(
        long,
        value_name = "URL",
        env = "SPIN_VARIABLE_GRIP_URL",
        hide_env_values = true
    )]
    grip_url: Option<String>,
    /// Seconds between two pings of a client; a client that answers none is disconnected
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    ping_interval: u64,
    /// Length of the longest message from a client, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_message)]
    max_message: usize,
    /// Bytes that may wait for a slow client
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_waiting)]
    max_waiting: usize,
    #[command(flatten)]
    clients: Clients,
    /// Networks of the proxies whose X-Forwarded-For is believed, as in the variable trusted_proxies
    #[arg(
        long,
        value_name = "CIDRS",
        env = "SPIN_VARIABLE_TRUSTED_PROXIES",
        default_value = LOCAL_PROXIES
    )]
    trusted_proxies: String,
    /// Format of the log on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// Command that starts the application, such as: spin up --listen 127.0.0.1:3000
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Settings {
    /// Runs until a signal, or until the command ends.
    ///
    /// # Errors
    /// When an address can't be used or the command not be started.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let _log = log::start(self.log_format).context("can't start the log")?;
        runtime()?.block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<ExitCode> {
        let mut stop = Box::pin(stop_signal()?);
        let upstream = Origin::parse(&self.upstream).context("--upstream")?;
        let publishers = match &self.control {
            Some(address) => control::bind(address).await?,
            None if self.command.is_empty() => control::bind(CONTROL).await?,
            None => control::bind("127.0.0.1:0").await?,
        };
        let origin = format!("http://{}", publishers.address());
        let urls = match self.grip_url.as_deref().unwrap_or_default() {
            "" if self.command.is_empty() => format!("{origin}/"),
            "" => new_grip_url(&origin)?,
            urls => with_origin(urls, &origin)?,
        };
        let limits = Limits {
            max_message: self.max_message,
            max_waiting: self.max_waiting,
            max_buffered: self.clients.max_buffered,
            ping_interval: Duration::from_secs(self.ping_interval),
        };
        let gateway = Arc::new(Gateway::new(Keys::of_grip_url(&urls)?, limits));
        tokio::spawn(control::serve(publishers, gateway.clone()));
        let address = upstream.address();
        let clients = server::Clients {
            per_address: self.clients.max_per_address,
            proxies: Proxies::parse(&self.trusted_proxies).context("--trusted-proxies")?,
        };
        let site = Site::Upstream(upstream);
        let server = Server::bind(site, Some(gateway), clients, &self.listen).await?;
        let text = format!("Upstream: {}\nControl: {origin}\n", self.upstream);
        if self.command.is_empty() {
            announce(server.address()?, &text)?;
            server.serve(stop).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut behind = Behind::start(&self.command, &variables(&urls)?)?;
        tokio::select! {
            () = &mut stop => return Ok(behind.stop().await?.into()),
            code = behind.ended() => return Ok(code?.into()),
            () = reachable(&address) => {}
        }
        announce(server.address()?, &text)?;
        let mut ended = None;
        let over = async {
            tokio::select! {
                () = stop => {}
                code = behind.ended() => ended = Some(code),
            }
        };
        server.serve(over).await?;
        let code = match ended {
            Some(code) => code?,
            None => behind.stop().await?,
        };
        Ok(code.into())
    }
}

/// Waits until a program listens there.
async fn reachable(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        sleep(LOOK).await;
    }
}

/// GRIP URLs, of which the first is at another origin.
fn with_origin(urls: &str, origin: &str) -> anyhow::Result<String> {
    let urls = urls.trim();
    let (own, others) = urls.split_once(char::is_whitespace).unwrap_or((urls, ""));
    let uri: http::Uri = own.parse().context("--grip-url")?;
    let query = uri.query().map(|query| format!("?{query}"));
    let own = format!("{origin}/{}", query.unwrap_or_default());
    Ok(format!("{own} {others}").trim_end().to_owned())
}

/// What the command finds in its environment about these gateways.
fn variables(urls: &str) -> anyhow::Result<Vec<(String, String)>> {
    let in_environment = |name: &str| format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
    let mut variables = vec![(in_environment("grip_url"), urls.to_owned())];
    for (name, origin) in ORIGINS.iter().zip(origins(urls)?) {
        let origin = origin.to_string().trim_end_matches('/').to_owned();
        variables.push((in_environment(name), origin));
    }
    Ok(variables)
}
