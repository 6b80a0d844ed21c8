//! `kafka up`: the application and its gateway, in one process.

use super::{Clients, announce, stop_signal};
use crate::{
    app::{App, Settings},
    gateway::{
        Gateway, Keys, Limits,
        control::{self, Local},
        new_grip_url,
    },
    metrics::{self, Now},
    network::{LOCAL_PROXIES, Proxies},
    server::{self, Server, Site},
};
use anyhow::Context;
use std::{env, sync::Arc};

/// The variable that tells components where the gateway is, and with which keys.
const URL: &str = "grip_url";
/// The variable with its origin, for `allowed_outbound_hosts`.
const ORIGIN: &str = "grip_origin";

/// The variable with the proxies that are believed.
const PROXIES: &str = "trusted_proxies";

/// The addresses to listen on.
pub struct Listen {
    /// For clients.
    pub clients: String,
    /// For Prometheus.
    pub metrics: Option<String>,
}

/// Serves the application until a signal.
pub async fn serve(mut settings: Settings, clients: Clients, listen: Listen) -> anyhow::Result<()> {
    // Asked for before anything else, so that a signal during the start is not lost.
    let stop = stop_signal()?;
    let limits = Limits {
        max_buffered: clients.max_buffered,
        ..Limits::default()
    };
    settings.gateway = start_gateway(&mut settings, limits).await?;
    let clients = server::Clients {
        per_address: clients.max_per_address,
        proxies: proxies(&settings)?,
    };
    let gateway = settings.gateway.as_ref().map(|local| local.gateway.clone());
    let metered = match &listen.metrics {
        // Before the application is loaded, whose parts look whether anything is to be counted.
        Some(address) => Some((metrics::bind(address).await?, metrics::start())),
        None => None,
    };
    let app = Arc::new(App::load(&settings).await?);
    let site = Site::App(app.clone());
    let server = Server::bind(site, gateway.clone(), clients, &listen.clients).await?;
    let mut about = String::new();
    if let Some((listener, mut registry)) = metered {
        about += &format!("Metrics: http://{}/metrics\n", listener.address());
        let app = app.clone();
        registry.register_collector(Box::new(Now { app, gateway }));
        tokio::spawn(metrics::serve(listener, registry));
    }
    let address = server.address()?;
    let routes = app
        .router
        .routes()
        .map(|(route, component)| format!("  http://{address}{route}  ({component})\n"));
    about += &format!("Routes:\n{}", routes.collect::<String>());
    announce(address, &about)?;
    server.serve(stop).await?;
    app.close().await;
    Ok(())
}

/// Starts a gateway and sets the application's variables for it, unless they name another gateway, which then holds the
/// sockets, or the application has no such variable.
async fn start_gateway(
    settings: &mut Settings,
    limits: Limits,
) -> anyhow::Result<Option<Arc<Local>>> {
    let declared = settings.application.manifest()?.variables;
    if !declared.contains_key(URL) {
        return Ok(None);
    }
    if let Some(url) = given(settings, URL) {
        if declared.contains_key(ORIGIN) && given(settings, ORIGIN).is_none() {
            set(settings, ORIGIN, origin_of(&url)?);
        }
        return Ok(None);
    }
    let publishers = control::bind("127.0.0.1:0").await?;
    let address = publishers.address();
    let origin = format!("http://{address}");
    let url = new_grip_url(&origin)?;
    let gateway = Arc::new(Gateway::new(Keys::of_grip_url(&url)?, limits));
    set(settings, URL, url);
    if declared.contains_key(ORIGIN) {
        set(settings, ORIGIN, origin);
    }
    tokio::spawn(control::serve(publishers, gateway.clone()));
    Ok(Some(Arc::new(Local { address, gateway })))
}

/// The proxies that the application believes.
fn proxies(settings: &Settings) -> anyhow::Result<Proxies> {
    let declared = settings.application.manifest()?.variables;
    let Some(variable) = declared.get(PROXIES) else {
        return Proxies::parse(LOCAL_PROXIES);
    };
    let text = given(settings, PROXIES).or(variable.default.clone());
    Proxies::parse(&text.unwrap_or_default()).context(PROXIES)
}

/// The value of a variable, if it was set.
fn given(settings: &Settings, name: &str) -> Option<String> {
    settings
        .variables
        .get(name)
        .cloned()
        .or_else(|| env::var(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())).ok())
}

fn set(settings: &mut Settings, name: &str, value: String) {
    settings.variables.insert(name.to_owned(), value);
}

/// Scheme, host and port of a GRIP URL. Without a gateway, an address that no program can listen on.
fn origin_of(url: &str) -> anyhow::Result<String> {
    if url.is_empty() {
        return Ok("http://127.0.0.1:0".into());
    }
    let uri: http::Uri = url.parse().context("grip_url is no URL")?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => Ok(format!("{scheme}://{authority}")),
        _ => anyhow::bail!("grip_url {url:?} has no host"),
    }
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn an_origin_is_a_url_without_path_and_keys() {
        for (url, origin) in [
            (
                "http://127.0.0.1:5561/?iss=a&key=b",
                "http://127.0.0.1:5561",
            ),
            ("https://example.com", "https://example.com"),
            ("", "http://127.0.0.1:0"),
        ] {
            assert_eq!(origin_of(url).expect(url), origin);
        }
        assert!(origin_of("/publish").is_err());
    }
}
