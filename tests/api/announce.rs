//! Changes made over HTTP reach the gateway, which sends them to the open sockets (docs/websocket.md,
//! docs/grip.md#publishing).

use std::collections::{HashSet, VecDeque};
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, Server, Setup, User, login};

/// A gateway that only receives publish requests.
struct Gateway {
    origin: String,
    published: UnboundedReceiver<(String, Value)>,
    /// How many requests brought the items so far.
    requests: usize,
    listening: JoinHandle<()>,
}

/// What a gateway does with a request.
#[derive(Clone, Copy)]
enum Answer {
    Published,
    /// It has it, and the connection is lost before the answer.
    Lost,
    Unavailable,
}

impl Gateway {
    async fn start() -> Self {
        Self::that_answers(&[]).await
    }

    /// Its first answers are these.
    async fn that_answers(first: &[Answer]) -> Self {
        let first = Arc::new(Mutex::new(VecDeque::from(first.to_vec())));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (sender, published) = unbounded_channel();
        let listening = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (sender, first) = (sender.clone(), first.clone());
                tokio::spawn(async move {
                    while let Some((head, mut body)) = read_request(&mut stream).await {
                        let next = match without_feeds(&mut body) {
                            true => {
                                sender.send((head, body)).ok();
                                first.lock().expect("not poisoned").pop_front()
                            }
                            false => None,
                        };
                        let answer: &[u8] = match next.unwrap_or(Answer::Published) {
                            Answer::Published => {
                                b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nPublished"
                            }
                            Answer::Lost => return,
                            Answer::Unavailable => {
                                b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
                            }
                        };
                        stream.write_all(answer).await.ok();
                    }
                });
            }
        });
        Self {
            origin: format!("http://{address}"),
            published,
            requests: 0,
            listening,
        }
    }

    /// The application with this gateway.
    async fn server(&self) -> Server {
        let url = format!("{}/?iss=kafka&key=base64:c2VjcmV0", self.origin);
        with_gateway(&url, &self.origin).await
    }

    /// The next `count` items.
    async fn items(&mut self, count: usize) -> Vec<Value> {
        let mut items = Vec::new();
        while items.len() < count {
            let (head, body) = tokio::time::timeout(PATIENCE, self.published.recv())
                .await
                .expect("it is published in time")
                .expect("the gateway listens");
            self.requests += 1;
            assert!(head.starts_with("POST /publish/ HTTP/1.1\r\n"), "{head}");
            let head = head.to_ascii_lowercase();
            assert!(head.contains("\r\ncontent-type: application/json\r\n"));
            assert!(head.contains("\r\nauthorization: bearer eyj"), "{head}");
            items.extend(body["items"].as_array().expect("a list").iter().cloned());
        }
        items
    }
}

/// Takes the items of feeds out, which have tests of their own; false if there was nothing else.
fn without_feeds(body: &mut Value) -> bool {
    let items = body["items"].as_array_mut().expect("a list");
    let is_of_feed = |item: &Value| {
        let channel = item["channel"].as_str();
        channel.is_some_and(|channel| channel.starts_with("feed-"))
    };
    let all_of_feeds = !items.is_empty() && items.iter().all(is_of_feed);
    items.retain(|item| !is_of_feed(item));
    !all_of_feeds
}

async fn with_gateway(url: &str, origin: &str) -> Server {
    let setup = Setup::app().variable("grip_url", url);
    setup.variable("grip_origin", origin).start().await
}

/// The head and the JSON of the next request; `None` at the end.
async fn read_request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut received = Vec::new();
    loop {
        let head_end = received.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(end) = head_end
            && let body = &received[end + 4..]
            && let Some(json) = whole_body(&received[..end], body)
        {
            return Some((String::from_utf8_lossy(&received[..end + 2]).into(), json));
        }
        let mut piece = [0; 65536];
        let read = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        received.extend_from_slice(&piece[..read]);
    }
}

/// The JSON of a body, once it is there. As Pushpin, this takes no body without a length.
fn whole_body(head: &[u8], body: &[u8]) -> Option<Value> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(head.contains("\r\ncontent-length: "), "{head}");
    serde_json::from_slice(body).ok()
}

/// The events that a socket of the channel receives.
fn frame(item: &Value) -> (String, Value) {
    let message = &item["formats"]["ws-message"];
    let content = message["content"].as_str();
    let content = content.map_or_else(
        || message.clone(),
        |text| serde_json::from_str(text).expect("a frame of JSON"),
    );
    let channel = item["channel"].as_str().expect("a channel").to_owned();
    (channel, content)
}

async fn rename(server: &Server, chat: &str, name: &str) {
    let fields = [("chat_id", chat), ("new_name", name)];
    let response = server.patch("/chat/rename").form(&fields).send().await;
    response.has_status(200);
}

async fn someone(server: &Server) -> (User, String) {
    let user = login(server, "someone@example.com").await;
    let chat = server.chat(&user, "watched").await;
    (user, chat)
}

#[tokio::test]
async fn a_rename_is_announced_with_its_rev() {
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    for (rev, name) in [(1, "one"), (2, "\"two\" \u{1f600}")] {
        rename(&server, &chat, name).await;
        let items = gateway.items(1).await;
        let event = json!({ "action": "chat_renamed", "rev": rev, "name": name });
        assert_eq!(
            items.iter().map(frame).collect::<Vec<_>>(),
            [(format!("chat-{chat}-v2"), event)]
        );
    }
}

#[tokio::test]
async fn a_deletion_is_announced_and_ends_the_sockets() {
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    let delete = server.delete(&format!("/chat/{chat}")).send().await;
    delete.has_status(200);
    let frames: Vec<_> = gateway.items(4).await.iter().map(frame).collect();
    let (v1, v2) = (format!("chat-{chat}-v1"), format!("chat-{chat}-v2"));
    let close = json!({ "action": "close", "code": 1000 });
    assert_eq!(
        frames,
        [
            (v2.clone(), json!({ "action": "chat_deleted" })),
            (v2, close.clone()),
            (v1.clone(), json!({ "error": "Chat not found." })),
            (v1, close),
        ]
    );
}

#[tokio::test]
async fn each_uploaded_file_is_announced_with_a_rev_of_its_own() {
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (user, chat) = someone(&server).await;
    let form = user
        .upload_to(&chat, "true")
        .file("files", "a.csv", "a,b")
        .file("files", "b.bin", "b");
    let uploaded = server.upload(form).await.json();
    let frames: Vec<_> = gateway.items(2).await.iter().map(frame).collect();
    for (index, (channel, event)) in frames.iter().enumerate() {
        assert_eq!(*channel, format!("chat-{chat}-v2"));
        let expected = json!({
            "action": "file_uploaded", "rev": index + 1, "file_id": uploaded["files"][index],
            "file": uploaded["details"][index],
        });
        assert_eq!(*event, expected);
    }
    // A later `sync` contains what the events contained.
    let rows =
        "SELECT group_concat(filename || ' ' || rev) FROM (SELECT * FROM chat_file ORDER BY rowid)";
    let database = server.database().await;
    assert_eq!(database.texts(rows).await, ["a.csv 1,b.bin 2"]);
    assert_eq!(database.number("SELECT rev FROM chat").await, 2);

    // A workspace has no sockets: the next event is of the chat again.
    server.file(&user, "c.txt", "c").await;
    rename(&server, &chat, "after").await;
    let (_, event) = frame(&gateway.items(1).await[0]);
    assert_eq!(event["rev"], 3);
}

#[tokio::test]
async fn many_renames_are_announced_in_their_order() {
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    for name in 0..300 {
        rename(&server, &chat, &name.to_string()).await;
    }
    let frames: Vec<_> = gateway.items(300).await.iter().map(frame).collect();
    // Instances that work side by side may overtake each other: clients order events by `rev`. Nothing is lost.
    let mut revs: Vec<_> = frames.iter().map(|(_, it)| it["rev"].as_i64()).collect();
    revs.sort_unstable();
    assert_eq!(revs, (1..=300).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn renames_share_requests_to_the_gateway() {
    const RENAMES: usize = 90;
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = gateway.requests;
        for name in 0..RENAMES {
            rename(&server, &chat, &name.to_string()).await;
        }
        gateway.items(RENAMES).await;
        let requests = gateway.requests - before;
        if requests * 3 < RENAMES * 2 {
            break;
        }
        // On a busy machine they may follow each other too slowly to be gathered.
        assert!(Instant::now() < deadline, "{requests} requests");
    }
}

#[tokio::test]
async fn a_publish_without_an_answer_is_repeated_with_its_ids() {
    let answers = [Answer::Lost, Answer::Unavailable];
    let mut gateway = Gateway::that_answers(&answers).await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    rename(&server, &chat, "once").await;
    let items = gateway.items(3).await;
    assert!(items.iter().all(|item| *item == items[0]), "{items:?}");
    let id = items[0]["id"].as_str().expect("an id").to_owned();
    rename(&server, &chat, "twice").await;
    let next = gateway.items(1).await;
    assert_eq!(frame(&next[0]).1["name"], "twice");
    assert_ne!(next[0]["id"], id);
}

#[tokio::test]
async fn an_item_has_an_id_like_no_other() {
    let mut gateway = Gateway::start().await;
    let server = gateway.server().await;
    let (_, chat) = someone(&server).await;
    let delete = server.delete(&format!("/chat/{chat}")).send().await;
    delete.has_status(200);
    let items = gateway.items(4).await;
    let ids: HashSet<_> = items
        .iter()
        .filter_map(|item| item["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 4, "{items:?}");
}

/// Accepts connections, reads nothing and answers nothing.
struct Silent {
    listener: TcpListener,
    streams: Vec<TcpStream>,
}

impl Silent {
    async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
            streams: Vec::new(),
        }
    }

    fn origin(&self) -> String {
        let address = self.listener.local_addr().expect("a bound address");
        format!("http://{address}")
    }

    /// The next request.
    async fn is_called(&mut self) {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        stream.readable().await.expect("a request");
        self.streams.push(stream);
    }

    /// Whether the last request still waits for its answer.
    fn is_waited_for(&self) -> bool {
        let mut bytes = [0; 4096];
        let stream = self.streams.last().expect("it was called");
        loop {
            match stream.try_read(&mut bytes) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }
}

#[tokio::test]
async fn a_gateway_that_is_silent_or_gone_costs_others_nothing() {
    let gone = Gateway::start().await;
    gone.listening.abort();
    let mut silent = Silent::start().await;
    let mut gateway = Gateway::start().await;
    let key = "?iss=kafka&key=base64:c2VjcmV0";
    let origins = [gone.origin.clone(), silent.origin(), gateway.origin.clone()];
    let urls = origins.map(|origin| format!("{origin}/{key}")).join(" ");
    // The host finds the origins.
    let server = Setup::app().variable("grip_url", &urls).start().await;
    let (_, chat) = someone(&server).await;
    rename(&server, &chat, "0").await;
    let (_, event) = frame(&gateway.items(1).await[0]);
    assert_eq!(event["name"], "0");
    silent.is_called().await;
    // While the others are tried, and when they have been given up.
    let mut was_waited_for = 0;
    for name in 1..=60 {
        rename(&server, &chat, &name.to_string()).await;
        let (_, event) = frame(&gateway.items(1).await[0]);
        assert_eq!(event["name"], name.to_string());
        was_waited_for += usize::from(silent.is_waited_for());
    }
    assert!(
        was_waited_for > 0,
        "events came while the other did not answer"
    );
    server
        .logs(&format!(
            "gateway at {}/publish/ can't be reached",
            gone.origin
        ))
        .await;
}

#[tokio::test]
async fn a_gateway_that_is_silent_or_gone_fails_no_request() {
    let gateway = Gateway::start().await;
    gateway.listening.abort();
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent_address = silent.local_addr().expect("a bound address");
    for origin in [gateway.origin.clone(), format!("http://{silent_address}")] {
        let server = with_gateway(&origin, &origin).await;
        let (_, chat) = someone(&server).await;
        for name in 0..50 {
            rename(&server, &chat, &name.to_string()).await;
        }
        // How long they take, the load program measures (`--promises`).
        server
            .logs("can't be reached, open windows hear nothing")
            .await;
    }
}

#[tokio::test]
async fn without_a_gateway_nothing_is_tried() {
    let gateway = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = gateway.local_addr().expect("a bound address");
    let server = with_gateway("", &format!("http://{address}")).await;
    let (_, chat) = someone(&server).await;
    rename(&server, &chat, "quietly").await;
    let called = tokio::time::timeout(Duration::from_millis(300), gateway.accept()).await;
    assert!(called.is_err(), "no server is called");
    let log = server.log_so_far().await;
    assert!(!log.contains("gateway"), "{log}");
}
