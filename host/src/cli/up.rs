//! `kafka up`: the application and its gateway, in one process.

use super::{Clients, announce, stop_signal};
use crate::{
    app::{App, Settings},
    gateway::{
        Gateway, Keys, Limits,
        control::{self, Local},
        new_grip_url, origins,
    },
    manifest::{Variable, in_environment},
    metrics::{self, Now},
    network::{LOCAL_PROXIES, Proxies},
    server::{self, Server, Site},
};
use anyhow::Context;
use http::Uri;
use kafka_fakes::DemoModel;
use kafka_grip::ORIGINS;
use std::{collections::BTreeMap, env, net::Ipv4Addr, process, sync::Arc};
use tokio::{
    net::{TcpListener, lookup_host},
    runtime::Handle,
    task::spawn_blocking,
};

/// The variable that tells components where the gateway is, and with which keys.
const URL: &str = "grip_url";

/// The variable with the base URL of the model for newcomers.
const DEMO_MODEL: &str = "demo_model";

/// The variable with the proxies that are believed.
const PROXIES: &str = "trusted_proxies";

/// The addresses to listen on.
pub struct Listen {
    /// For clients.
    pub clients: String,
    /// For Prometheus.
    pub metrics: Option<String>,
    /// For publish requests of other hosts.
    pub control: Option<String>,
    /// Whether newcomers are offered a model, if that was said.
    pub demo_model: Option<bool>,
}

/// Serves the application until a signal.
pub async fn serve(mut settings: Settings, clients: Clients, listen: Listen) -> anyhow::Result<()> {
    // Asked for before anything else, so that a signal during the start is not lost.
    let mut stop = Box::pin(stop_signal()?);
    let limits = Limits {
        max_buffered: clients.max_buffered,
        ..Limits::default()
    };
    settings.gateway = start_gateway(&mut settings, listen.control.as_deref(), limits).await?;
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
    offer_demo_model(&mut settings, listen.demo_model, &listen.clients).await?;
    // Components that are compiled first take a minute.
    server::check_address(&listen.clients).await?;
    let runtime = Handle::current();
    let loading = spawn_blocking(move || runtime.block_on(App::load(&settings)));
    let app = tokio::select! {
        loaded = loading => Arc::new(loaded??),
        // Nothing is served yet, and what is compiled can't be interrupted.
        () = &mut stop => process::exit(0),
    };
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
///
/// With an address for publish requests, the first gateway that the variables name is this one.
async fn start_gateway(
    settings: &mut Settings,
    control: Option<&str>,
    limits: Limits,
) -> anyhow::Result<Option<Arc<Local>>> {
    let declared = settings.application.manifest()?.variables;
    if !declared.contains_key(URL) {
        return Ok(None);
    }
    let urls = match (given(settings, URL), control) {
        (Some(urls), None) => {
            set_origins(settings, &declared, &urls)?;
            return Ok(None);
        }
        (urls, Some(_)) => urls
            .filter(|urls| Keys::of_grip_url(urls).is_ok_and(|keys| keys.check_publishers()))
            .context("--control needs the variable grip_url, the first address of which is that of this gateway, with a key")?,
        (None, None) => String::new(),
    };
    let publishers = control::bind(control.unwrap_or("127.0.0.1:0")).await?;
    let urls = match urls.is_empty() {
        true => new_grip_url(&format!("http://{}", publishers.address()))?,
        false => urls,
    };
    let origins = origins(&urls)?;
    let gateway = Arc::new(Gateway::new(Keys::of_grip_url(&urls)?, limits));
    set_origins(settings, &declared, &urls)?;
    set(settings, URL, urls);
    tokio::spawn(control::serve(publishers, gateway.clone()));
    let origin = origins.into_iter().next().context("grip_url is empty")?;
    Ok(Some(Arc::new(Local { origin, gateway })))
}

/// How far the port of the model for newcomers is from that of the server, so that it has the same one after a restart.
const DEMO_MODEL_PORT: u16 = 9;

/// Serves a model for newcomers on this machine, and tells the application its address: if that was asked for, or unless
/// it was forbidden in open mode at an address of this machine, where every program may call anyway.
async fn offer_demo_model(
    settings: &mut Settings,
    asked: Option<bool>,
    clients: &str,
) -> anyhow::Result<()> {
    let declared = settings.application.manifest()?.variables;
    let is = |name: &str, wanted: &str| {
        let default = || {
            declared
                .get(name)
                .and_then(|variable| variable.default.clone())
        };
        given(settings, name)
            .or_else(default)
            .is_some_and(|value| value.trim() == wanted)
    };
    let address = lookup_host(clients).await.ok();
    let address = address.and_then(|mut addresses| addresses.next());
    let is_local = address.is_some_and(|address| address.ip().is_loopback());
    let fits = is_local && is("auth_mode", "open") && !is("allow_private_models", "false");
    let is_free = declared.contains_key(DEMO_MODEL) && given(settings, DEMO_MODEL).is_none();
    if !is_free || !asked.unwrap_or(fits) {
        return Ok(());
    }
    let port = address
        .filter(|address| address.port() != 0)
        .and_then(|address| address.port().checked_add(DEMO_MODEL_PORT));
    let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await;
    let listener = match usual {
        Ok(listener) => listener,
        // Another program has it. The page corrects the address that it has saved.
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let base_url = format!("http://{}{}", listener.local_addr()?, DemoModel::PATH);
    set(settings, DEMO_MODEL, base_url);
    tokio::spawn(DemoModel::default().serve(listener));
    Ok(())
}

/// Sets the variables with the origins of `grip_url`, but for those that were given with it.
fn set_origins(
    settings: &mut Settings,
    declared: &BTreeMap<String, Variable>,
    urls: &str,
) -> anyhow::Result<()> {
    let mut origins = origins(urls)?;
    if origins.is_empty() {
        // Without a gateway, an address that no program can listen on.
        origins.push(Uri::from_static("http://127.0.0.1:0"));
    }
    let is_given = given(settings, URL).is_some();
    for (name, origin) in ORIGINS.into_iter().zip(origins) {
        let keep = is_given && given(settings, name).is_some();
        if declared.contains_key(name) && !keep {
            let text = origin.to_string();
            set(settings, name, text.trim_end_matches('/').to_owned());
        }
    }
    Ok(())
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
        .or_else(|| env::var(in_environment(name)).ok())
}

fn set(settings: &mut Settings, name: &str, value: String) {
    settings.variables.insert(name.to_owned(), value);
}
