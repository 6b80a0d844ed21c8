//! Two hosts with one database, and two gateways (docs/scaling.md#sockets): every client, at either gateway, has the same
//! messages in the end, whatever becomes of a host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};

use super::feed::Feed;
use super::resume::{Random, assert_shows};
use super::{KEY, save_model, stored_in, words};
use crate::support::{
    ChatClient, FakeModel, Hrana, PATIENCE, Pushpin, Request, Response, Server, Setup, free_port,
    login, pushpin_is_installed,
};

/// What both hosts seal API keys with.
const SECRET: &str = "bm9kZXMtbm9kZXMtbm9kZXMtbm9kZXMtbm9kZXMtbm8=";

/// A host, with what stays when it is killed.
struct Node {
    server: Option<Server>,
    address: String,
    /// Where others publish to its gateway, if it has one.
    control: Option<String>,
    grip_url: String,
}

impl Node {
    async fn start(&mut self, database: &Hrana, state: Option<TempDir>) {
        let mut setup = Setup::app()
            .on(database)
            .listening_at(&self.address)
            .variable("secret_key", SECRET)
            .variable("grip_url", &self.grip_url);
        if let Some(control) = &self.control {
            setup = setup.argument("--control").argument(control);
        }
        if let Some(state) = state {
            setup = setup.state(state);
        }
        self.server = Some(setup.start().await);
    }

    /// `kill -9`, and a start at the same address.
    async fn is_killed_and_started_again(&mut self, database: &Hrana) {
        let server = self.server.take().expect("it runs");
        self.start(database, Some(server.kill())).await;
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }
}

/// Two hosts, what they share, and the addresses for sockets: a gateway each.
struct Nodes {
    // Declared, and so dropped, before the database.
    nodes: [Node; 2],
    sockets: [String; 2],
    _pushpin: Option<Pushpin>,
    database: Hrana,
    _folder: TempDir,
}

impl Nodes {
    /// Each host has a gateway of its own.
    async fn with_own_gateways() -> Self {
        let controls = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
        let [first, second] = [0, 1].map(|number| own_url(&controls[number], number));
        let urls = [format!("{first} {second}"), format!("{second} {first}")];
        Self::start(urls, controls.map(Some), None).await
    }

    /// The first host has a gateway of its own, Pushpin stands in front of the second.
    async fn with_pushpin() -> Self {
        let control = format!("127.0.0.1:{}", free_port());
        let pushpin = Pushpin::prepare();
        let [(_, second), _] = pushpin.variables();
        let urls = format!("{} {second}", own_url(&control, 0));
        let urls = [urls.clone(), urls];
        Self::start(urls, [Some(control), None], Some(pushpin)).await
    }

    async fn start(
        urls: [String; 2],
        controls: [Option<String>; 2],
        mut pushpin: Option<Pushpin>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Hrana::start(&folder.path().join("shared.db"));
        let node = |(grip_url, control)| Node {
            server: None,
            address: format!("127.0.0.1:{}", free_port()),
            control,
            grip_url,
        };
        let [url, other_url] = urls;
        let [control, other_control] = controls;
        let mut nodes = [(url, control), (other_url, other_control)].map(node);
        for node in &mut nodes {
            node.start(&database, None).await;
        }
        let mut sockets = nodes.each_ref().map(|node| node.address.clone());
        if let Some(pushpin) = &mut pushpin {
            pushpin.start(&nodes[1].address);
            sockets[1] = pushpin.address();
        }
        Self {
            nodes,
            sockets,
            _pushpin: pushpin,
            database,
            _folder: folder,
        }
    }

    async fn is_killed_and_started_again(&mut self, number: usize) {
        self.nodes[number]
            .is_killed_and_started_again(&self.database)
            .await;
    }
}

/// The address of a host's own gateway, which has keys like no other.
fn own_url(control: &str, number: usize) -> String {
    format!(
        "http://{control}/?iss=kafka&key=publish-{number}&verify-iss=node-{number}&verify-key=verify-{number}"
    )
}

/// The hosts, as a client knows them that must get through.
struct Hosts {
    addresses: [String; 2],
    random: Random,
}

impl Hosts {
    /// The answer of any of them; `None` if it can't be reached, or can't answer now.
    async fn try_any(&mut self, method: &str, path: &str, json: &str) -> Option<Response> {
        let address = &self.addresses[self.random.below(2) as usize];
        let request = Request::elsewhere(method, &format!("http://{address}{path}"));
        let request = request.header("accept", "application/json");
        let request = match json {
            "" => request,
            json => request.json(json.to_owned()),
        };
        let answer = request.try_send().await.ok();
        answer.filter(|answer| !matches!(answer.status, 502 | 503))
    }

    /// The same, until one answers. A request without an answer may have been done.
    async fn any(&mut self, method: &str, path: &str, json: &str) -> Response {
        loop {
            match self.try_any(method, path, json).await {
                Some(answer) => return answer,
                None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    }

    /// Sends a prompt, once.
    async fn ask(&mut self, chat: &str, model: &str) {
        let path = format!("/chat/{chat}/messages");
        let prompt = json!({ "prompt": "hello", "model": model }).to_string();
        loop {
            if let Some(answer) = self.try_any("POST", &path, &prompt).await {
                return answer.has_status(202);
            }
            let messages = self.any("GET", &path, "").await.json();
            if messages["messages"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
            {
                return;
            }
        }
    }

    async fn rename(&mut self, chat: &str, name: &str) {
        let names = json!({ "chat_id": chat, "new_name": name }).to_string();
        let renamed = self.any("PATCH", "/chat/rename", &names).await;
        renamed.has_status(200);
    }
}

/// Deltas of all clients so far, and the wish to hear of them.
#[derive(Default)]
struct Progress {
    deltas: AtomicUsize,
    changed: Notify,
}

impl Progress {
    fn add(&self, deltas: usize) {
        self.deltas.fetch_add(deltas, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// Waits for so many more.
    async fn goes_on(&self, deltas: u64) {
        let wanted = self.deltas.load(Ordering::Relaxed) + deltas as usize;
        loop {
            let changed = self.changed.notified();
            if self.deltas.load(Ordering::Relaxed) >= wanted {
                return;
            }
            changed.await;
        }
    }
}

/// Steps until the only reply of a chat has ended, and renames the chat now and then, if asked to.
async fn follow(
    client: &mut ChatClient,
    chat: &str,
    progress: &Progress,
    mut renames: Option<Hosts>,
) {
    let mut renamed = 0;
    loop {
        let before = client.deltas;
        client.step().await;
        progress.add(client.deltas - before);
        if client.running.is_none() && client.messages.len() == 2 {
            break;
        }
        if let Some(hosts) = &mut renames
            && client.deltas / 8 > renamed
        {
            renamed = client.deltas / 8;
            hosts.rename(chat, &renamed.to_string()).await;
        }
    }
    client.settled().await;
    if let Some(hosts) = &mut renames {
        hosts.rename(chat, "the last name").await;
    }
    let is_last = |client: &ChatClient| client.chat_name == "the last name";
    client.until("the last name", is_last).await;
}

/// Many streams, half of them from the beginning, while each host is killed and started again.
async fn nodes_come_and_go(mut nodes: Nodes, chats: usize, seed: u64) {
    const MODEL: &str = "fake-words-100-rate-20";
    let model = FakeModel::start_with(&["--key", KEY]);
    let [first, second] = nodes.nodes.each_ref().map(Node::server);
    let user = login(first, "josef@example.com").await;
    // Sealed by one, opened by both.
    save_model(second, &user, MODEL, &model.base_url(), KEY)
        .await
        .has_status(200);
    let mut ids = Vec::new();
    for number in 0..chats {
        ids.push(first.chat(&user, &number.to_string()).await);
    }
    let progress = Arc::new(Progress::default());
    let (is_back, back) = watch::channel(false);
    let addresses = nodes.nodes.each_ref().map(|node| node.address.clone());
    let mut tasks = Vec::new();
    for (number, chat) in (0u64..).zip(ids) {
        let (progress, mut back) = (progress.clone(), back.clone());
        let (sockets, addresses) = (nodes.sockets.clone(), addresses.clone());
        let hosts = move |salt: u64| Hosts {
            addresses: addresses.clone(),
            random: Random(seed + salt * 1000 + number),
        };
        tasks.push(tokio::spawn(async move {
            let [first, second] = &sockets;
            let mut clients = [
                ChatClient::open(first, &chat).await,
                ChatClient::open(second, &chat).await,
            ];
            clients.iter_mut().for_each(ChatClient::watches);
            let [one, other] = &mut clients;
            let asks = async {
                if number % 2 == 1 {
                    back.wait_for(|back| *back).await.expect("it comes back");
                }
                hosts(1).ask(&chat, MODEL).await;
            };
            tokio::join!(
                asks,
                follow(one, &chat, &progress, Some(hosts(2))),
                follow(other, &chat, &progress, None)
            );
            (chat, clients)
        }));
    }
    let mut random = Random(seed);
    let victim = random.below(2) as usize;
    progress.goes_on(100 + random.below(200)).await;
    nodes.is_killed_and_started_again(victim).await;
    is_back.send(true).expect("half of the chats wait");
    progress.goes_on(100 + random.below(200)).await;
    nodes.is_killed_and_started_again(1 - victim).await;
    let database = nodes.database.look().await;
    let mut complete = 0;
    for task in tasks {
        let (chat, clients) = task.await.expect("no client fails");
        let stored = stored_in(&database, &chat).await;
        let of_chat =
            format!("SELECT rev FROM chat WHERE id = '{chat}' AND name = 'the last name'");
        let rev = database.number(&of_chat).await;
        for mut client in clients {
            client
                .until("the last change", |client| client.rev == rev as u64)
                .await;
            assert_shows(&client, &stored);
            assert_eq!(client.messages[0].content, "hello");
            let reply = client.last();
            match reply.status.as_str() {
                "complete" => assert_eq!(reply.content, words(100)),
                status => assert_eq!(status, "interrupted"),
            }
            assert!(words(100).starts_with(&reply.content), "{}", reply.content);
            complete += usize::from(reply.status == "complete");
        }
    }
    let all = 2 * chats;
    println!("{complete} of {all} clients have a complete reply");
    assert!(
        0 < complete && complete < all,
        "some replies lost their host"
    );
    assert_eq!(database.count("chat_conversation").await, all as i64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_random_with_own_gateways() {
    nodes_come_and_go(Nodes::with_own_gateways().await, 16, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_random_under_fifty_streams_with_pushpin() {
    if pushpin_is_installed() {
        nodes_come_and_go(Nodes::with_pushpin().await, 50, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_followed_and_stopped_and_resumed_on_the_other() {
    const MODEL: &str = "fake-words-2000-rate-20";
    let nodes = Nodes::with_own_gateways().await;
    let model = FakeModel::start_with(&["--key", KEY]);
    for (here, there) in [(0, 1), (1, 0)] {
        let (writer, other) = (nodes.nodes[here].server(), nodes.nodes[there].server());
        let user = login(other, &format!("josef{here}@example.com")).await;
        let saved = save_model(other, &user, MODEL, &model.base_url(), KEY).await;
        saved.has_status(200);
        let chat = other.chat(&user, "The Trial").await;
        let mut near = writer.chat_client(&chat).await;
        let mut far = other.chat_client(&chat).await;
        let mut steady = other.chat_client(&chat).await;
        let path = format!("/chat/{chat}/messages");
        let prompt = json!({ "prompt": "hello", "model": MODEL }).to_string();
        let ask = writer.post(&path).header("accept", "application/json");
        let begun = ask.json(prompt).send().await;
        begun.has_status(202);
        far.until("some text", |client| client.deltas > 3).await;
        far.cut().await;
        far.until("more text", |client| client.deltas > 6).await;
        near.cut().await;
        near.until("some text", |client| client.deltas > 3).await;
        let generation = begun.string("/generation_id");
        let events = format!("/chat/{chat}/generations/{generation}/events");
        let mut events = other.get(&events).events().await;
        while events.next().await.expect("the reply goes on").event != "delta" {}
        let seen = model.seen().await["hung_up"].as_u64();
        let stop = other.post(&format!("/chat/{chat}/stop")).send().await;
        stop.has_status(200);
        model
            .saw(PATIENCE, |now| now["hung_up"].as_u64() > seen)
            .await;
        let stored = {
            near.settled().await;
            stored_in(&nodes.database.look().await, &chat).await
        };
        for client in [&mut near, &mut far, &mut steady] {
            assert_eq!(client.settled().await.status, "stopped");
            assert_shows(client, &stored);
        }
        // It missed no event: all of them came to the gateway that it is at.
        assert_eq!(steady.syncs, 1);
        assert!(steady.deltas > 6);
    }
}

/// What changes at one host is told at the other, and who loses a host goes on at the other where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_is_followed_at_either() {
    let mut nodes = Nodes::with_own_gateways().await;
    let user = login(nodes.nodes[0].server(), "josef@example.com").await;
    let mut feeds = [
        Feed::open(nodes.nodes[0].server(), &user.id).await,
        Feed::open(nodes.nodes[1].server(), &user.id).await,
    ];
    for number in 0..6 {
        let server = nodes.nodes[number % 2].server();
        let chat = server.chat(&user, &number.to_string()).await;
        let names = [("chat_id", chat.as_str()), ("new_name", "another")];
        let renamed = server.patch("/chat/rename").form(&names).send().await;
        renamed.has_status(200);
    }
    for feed in &mut feeds {
        feed.has(12).await;
    }
    nodes.is_killed_and_started_again(0).await;
    let other = nodes.nodes[1].server();
    feeds[0].opens_again(other).await;
    other.chat(&user, "the last").await;
    for feed in &mut feeds {
        feed.has(13).await;
    }
    let [first, second] = feeds;
    assert_eq!(first.actions(), second.actions());
}

#[tokio::test]
async fn a_gateway_for_other_hosts_needs_a_key() {
    for url in ["", "http://127.0.0.1:5561/"] {
        let variable = format!("grip_url={url}");
        let arguments = ["up", "--no-build", "--listen", "127.0.0.1:0"];
        let control = ["--control", "127.0.0.1:0", "--variable", &variable];
        let ended = crate::support::run_kafka(&[&arguments[..], &control[..]].concat());
        assert!(!ended.success, "{url:?}");
        assert!(
            ended
                .output
                .contains("--control needs the variable grip_url"),
            "{}",
            ended.output
        );
    }
}
