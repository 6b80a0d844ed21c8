//! A server of its own for each test.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tempfile::TempDir;

use super::client::{Body, Request};
use super::process::{Process, memory_of};
use super::pushpin::Pushpin;
use super::{ChatClient, Database, Hrana, OwnGateway, PATIENCE, Refused, Setup, Socket, V2};

/// A running server; killed when dropped.
pub struct Server {
    // Declared, and so dropped, before the folder it writes to.
    process: Process,
    /// What stands in front of another server than `kafka up`.
    gateway: Option<OwnGateway>,
    pushpin: Option<Pushpin>,
    hrana: Option<Hrana>,
    address: String,
    sockets: String,
    state: TempDir,
    client: Client<HttpConnector, Body>,
}

impl Server {
    /// The server of a process that has printed this address.
    pub fn new(
        process: Process,
        pushpin: Option<Pushpin>,
        hrana: Option<Hrana>,
        address: String,
        state: TempDir,
    ) -> Self {
        Self {
            process,
            gateway: None,
            sockets: pushpin
                .as_ref()
                .map_or_else(|| address.clone(), Pushpin::address),
            pushpin,
            hrana,
            address,
            state,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The same server, with the gateway in front of it that its address is of.
    pub fn behind(mut self, gateway: Option<OwnGateway>) -> Self {
        self.gateway = gateway;
        self
    }

    /// The application with nothing set.
    pub async fn start() -> Self {
        Setup::app().start().await
    }

    /// The libSQL server that it alone uses.
    pub fn hrana(&self) -> &Hrana {
        self.hrana.as_ref().expect("its database is on a server")
    }

    /// How the command line is told where its database is.
    pub fn database_options(&self) -> Vec<String> {
        let path = |path: &Path| path.to_str().expect("a path of text").to_owned();
        match &self.hrana {
            Some(hrana) => vec!["--runtime-config-file".to_owned(), path(&hrana.config())],
            None => vec!["--state-dir".to_owned(), path(self.state())],
        }
    }

    /// The address that it printed, `127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address for sockets: that of the server itself, or of the gateway in front of it.
    pub fn sockets(&self) -> &str {
        &self.sockets
    }

    /// Whether its sockets are at a Pushpin.
    pub fn is_behind_pushpin(&self) -> bool {
        self.pushpin.is_some()
    }

    /// Stops Pushpin and starts it again; all sockets are lost.
    pub fn restart_pushpin(&mut self) {
        let pushpin = self.pushpin.as_mut().expect("there is a Pushpin");
        pushpin.stop();
        pushpin.start(&self.address);
    }

    /// Opens a socket with headers of the caller's. A message that is published soon after may miss it behind Pushpin,
    /// which subscribes a socket shortly after its client was let in ([`Self::hearing`]).
    pub async fn try_socket(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Refused> {
        Socket::open(&self.sockets, path, headers).await
    }

    /// What `opening` opens at `path`, subscribed to this many `channels`. For a path, one at a time.
    pub async fn hearing<T>(
        &self,
        path: &str,
        channels: usize,
        opening: impl Future<Output = T>,
    ) -> T {
        let Some(pushpin) = &self.pushpin else {
            return opening.await;
        };
        let before = pushpin.subscriptions(path);
        let opened = opening.await;
        let deadline = Instant::now() + PATIENCE;
        while pushpin.subscriptions(path) < before + channels {
            assert!(Instant::now() < deadline, "Pushpin does not subscribe");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        opened
    }

    /// A v1 socket of a chat, with its first frame unread.
    pub async fn v1(&self, chat: &str) -> Socket {
        self.socket(chat, &[]).await
    }

    /// A v2 socket of a chat, with its first frame unread.
    pub async fn v2(&self, chat: &str) -> Socket {
        self.socket(chat, &[("sec-websocket-protocol", V2)]).await
    }

    async fn socket(&self, chat: &str, headers: &[(&'static str, &str)]) -> Socket {
        let path = format!("/ws/{chat}");
        let opening = self.try_socket(&path, headers);
        let socket = self.hearing(&path, 1, opening).await;
        socket.expect("the handshake succeeds")
    }

    /// A v2 client of a chat.
    pub async fn chat_client(&self, chat: &str) -> ChatClient {
        let opening = ChatClient::open(&self.sockets, chat);
        self.hearing(&format!("/ws/{chat}"), 1, opening).await
    }

    /// The same server, called by another of its addresses.
    pub fn at(mut self, address: IpAddr) -> Self {
        let port = self
            .address
            .rsplit(':')
            .next()
            .expect("an address has a port");
        self.address = format!("{address}:{port}");
        self
    }

    /// The same server, called through what stands at `address`.
    pub fn called_at(mut self, address: &str) -> Self {
        self.address = address.to_owned();
        self.sockets = address.to_owned();
        self
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn head(&self, path: &str) -> Request {
        self.request("HEAD", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// Any method; `path` is sent as it is.
    pub fn request(&self, method: &str, path: &str) -> Request {
        // An address that the server named, by which it may have been called through a gateway.
        let path = match path.strip_prefix("http://") {
            Some(rest) => &rest[rest.find('/').expect("an address with a path")..],
            None => path,
        };
        Request::new(
            self.client.clone(),
            method,
            &format!("http://{}{path}", self.address),
        )
    }

    /// The application's database, looked at from outside.
    pub async fn database(&self) -> Database {
        Database::open(self.state.path()).await
    }

    /// Changes the application's database from outside while the server runs, as time or an operator would.
    pub async fn change(&self, sql: &str) {
        Database::change(self.state.path(), sql).await;
    }

    /// Its state folder.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// All that the server has stored, as it is on the disk.
    pub fn stored_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in fs::read_dir(self.state.path()).expect("the state folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                bytes.extend(fs::read(path).expect("a readable file"));
            }
        }
        bytes
    }

    /// Everything the server has printed so far.
    pub fn log(&self) -> String {
        self.process.transcript.text()
    }

    /// [`Self::log`] with all that happened before this call: the last request is logged last.
    pub async fn log_so_far(&self) -> String {
        let mark = format!("/mark-{}", self.log().len());
        self.get(&mark).send().await;
        self.logs(&mark).await;
        self.log()
    }

    /// Waits until the server has printed `text`; its pipes are read by threads of their own.
    pub async fn logs(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(text) {
            assert!(
                Instant::now() < deadline,
                "the server never logged {text:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Its resident memory in bytes.
    pub fn memory(&self) -> u64 {
        memory_of(self.process.id())
    }

    /// Asks it to stop, as an init system does, and returns at once.
    pub fn terminate(&self) {
        self.process.signal("-TERM");
    }

    /// Asks it to stop, as Ctrl-C does, and returns at once.
    pub fn interrupt(&self) {
        self.process.signal("-INT");
    }

    /// Waits until it has ended; its exit code, `None` if a signal ended it.
    pub async fn exit_code(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.process.ended() {
                return status.code();
            }
            assert!(
                Instant::now() < deadline,
                "the server is still running after {patience:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a server that was asked to stop has ended, and fails unless that was in order: nothing was cut off
    /// because it took too long.
    pub async fn ends_in_order(&mut self) {
        assert_eq!(self.exit_code(PATIENCE).await, Some(0));
        let log = self.log();
        assert!(!log.contains("did not finish in time"), "{log}");
    }

    /// `kill -9` while others are using it.
    pub fn kill_9(&self) {
        self.process.signal("-KILL");
    }

    /// `kill -9`; what it leaves behind can be started on again.
    pub fn kill(self) -> TempDir {
        let Self {
            mut process, state, ..
        } = self;
        process.kill();
        state
    }

    /// `kill -9`, and a start on what was left, at another port.
    pub async fn killed_and_started_again(self) -> Self {
        Setup::app().state(self.kill()).start().await
    }
}
