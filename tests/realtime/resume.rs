//! Resuming is exact (docs/promises.md#13-exact-resuming): in the end every client has the same messages
//! and texts as the database, without a gap and without a repeat.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::{Scene, settles, stored, through_both, words};
use crate::support::{ChatClient, PATIENCE, Setup};

through_both!(
    cut_at_every_seq_of_a_stream,
    cut_again_and_again,
    frames_lost_around_the_first_read,
    cut_and_lossy_at_random_under_fifty_streams,
);

/// 400 words at 20 a second, sent ten times a second: 200 deltas.
const LONG: &str = "fake-words-400-rate-20";
const DELTAS: u64 = 200;
/// Clients that share the cuts among them.
const WINDOWS: u64 = 40;
/// A busy machine takes several streams to come by nearly every seq.
const STREAMS: usize = 6;

async fn cut_at_every_seq_of_a_stream(setup: Setup) {
    let scene = Scene::new(setup, &[LONG]).await;
    let mut clients = Vec::new();
    for _ in 0..WINDOWS {
        clients.push(scene.server.chat_client(&scene.chat).await);
    }
    let mut sender = scene.open2().await;
    let mut left: BTreeSet<u64> = (0..DELTAS).collect();
    for stream in 1..=STREAMS {
        scene.sends_prompt(&mut sender, LONG).await;
        let tasks: Vec<_> = (0..)
            .zip(clients.drain(..))
            .map(|(number, mut client)| {
                let its = left.iter().filter(|seq| **seq % WINDOWS == number);
                let due = its.copied().collect();
                tokio::spawn(async move {
                    let cut_at = cut_at_each(&mut client, due, 2 * stream).await;
                    (client, cut_at)
                })
            })
            .collect();
        for task in tasks {
            let (client, cut_at) = task.await.expect("no client fails");
            assert_shows(&client, &scene.stored().await);
            clients.push(client);
            left.retain(|seq| !cut_at.contains(seq));
        }
        assert_eq!(scene.reply().await, words(400));
        println!("{} of {DELTAS} seqs left", left.len());
        if left.len() < WINDOWS as usize {
            return;
        }
    }
    panic!("never cut at {left:?}");
}

/// Cuts a client's connection at each seq that is `due`, or at the next one that it sees, until the reply has ended
/// that makes it so many `messages`. Returns at which it did.
async fn cut_at_each(
    client: &mut ChatClient,
    mut due: BTreeSet<u64>,
    messages: usize,
) -> BTreeSet<u64> {
    let mut cut_at = BTreeSet::new();
    while client.running.is_some() || client.messages.len() < messages {
        client.step().await;
        let Some(running) = &client.running else {
            continue;
        };
        let seq = running.seq;
        let later = due.split_off(&(seq + 1));
        if !std::mem::replace(&mut due, later).is_empty() {
            cut_at.insert(seq);
            client.cut().await;
        }
    }
    client.settled().await;
    cut_at
}

async fn cut_again_and_again(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-100-rate-20"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-100-rate-20", "hello").await;
    client
        .until("a reply", |client| client.running.is_some())
        .await;
    let mut cuts = 0;
    while client.running.is_some() {
        // Also before anything was read after the first frame.
        client.cut().await;
        cuts += 1;
        if cuts % 3 == 0 {
            client.step().await;
        }
    }
    assert!(cuts > 20, "only {cuts} cuts");
    client.settled().await;
    assert_shows(&client, &scene.stored().await);
    assert_eq!(client.last().content, words(100));
}

async fn frames_lost_around_the_first_read(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-120-rate-20"]).await;
    let mut clients = Vec::new();
    for lost in 1..=12 {
        let mut client = scene.server.chat_client(&scene.chat).await;
        let mut count = 0;
        // The first so many frames of every connection's life never arrive: events, deltas, syncs.
        client.loses(move |_| {
            count += 1;
            count <= lost
        });
        clients.push(client);
    }
    let mut sender = scene.open2().await;
    scene
        .sends_prompt(&mut sender, "fake-words-120-rate-20")
        .await;
    sender.action("delta").await;
    for lost in 1..=12 {
        let mut client = scene.server.chat_client(&scene.chat).await;
        let mut count = 0;
        client.loses(move |_| {
            count += 1;
            count <= lost
        });
        clients.push(client);
    }
    let tasks = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            client
                .until("the message", |client| !client.messages.is_empty())
                .await;
            client.settled().await;
            client
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        let client = task.await.expect("no client fails");
        assert_shows(&client, &scene.stored().await);
        assert_eq!(client.last().content, words(120));
    }
}

async fn cut_and_lossy_at_random_under_fifty_streams(setup: Setup) {
    const MODEL: &str = "fake-words-100-rate-20";
    let scene = Scene::new(setup, &[MODEL]).await;
    let mut chats = Vec::new();
    for number in 0..50 {
        chats.push(scene.server.chat(&scene.user, &number.to_string()).await);
    }
    let Scene { server, model, .. } = scene;
    let server = Arc::new(server);
    let mut tasks = Vec::new();
    for (number, chat) in (1u64..).zip(&chats) {
        for side in 0..2u64 {
            let (server, chat) = (server.clone(), chat.clone());
            tasks.push(tokio::spawn(async move {
                let mut random = Random(number * 2 + side);
                let mut client = server.chat_client(&chat).await;
                let mut loss = Random(number * 1000 + side);
                client.loses(move |_| loss.below(10) == 0);
                if side == 0 {
                    client.ask(MODEL, "hello").await;
                }
                let deadline = Instant::now() + PATIENCE;
                loop {
                    client.step().await;
                    if client.running.is_none() && client.messages.len() == 2 {
                        break;
                    }
                    assert!(
                        Instant::now() < deadline,
                        "client {side} of {chat} has {:?} and {:?}",
                        client.running,
                        client.messages
                    );
                    if random.below(12) == 0 {
                        client.cut().await;
                    }
                }
                client.loses_nothing();
                client.sync().await;
                client.settled().await;
                (chat, client)
            }));
        }
    }
    let (mut syncs, mut deltas) = (0, 0);
    for task in tasks {
        let (chat, client) = task.await.expect("no client fails");
        settles(&server, &chat).await;
        assert_shows(&client, &stored(&server, &chat).await);
        assert_eq!(client.last().content, words(100));
        syncs += client.syncs;
        deltas += client.deltas;
    }
    println!("{deltas} deltas received and {syncs} syncs in 100 clients");
    assert_eq!(model.requests().await, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushpin_can_be_restarted_in_the_middle() {
    if !crate::support::pushpin_is_installed() {
        return;
    }
    let mut scene = Scene::new(Setup::app().behind_pushpin(), &["fake-words-100-rate-20"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-100-rate-20", "hello").await;
    client.until("some text", |client| client.deltas > 5).await;
    tokio::task::block_in_place(|| scene.server.restart_pushpin());
    client.settled().await;
    assert_shows(&client, &scene.stored().await);
    assert_eq!(client.last().content, words(100));
}

/// A client that does not read is dropped; the others' stream goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_delays_no_other() {
    let scene = Scene::new(Setup::app(), &["fake-words-100-rate-20"]).await;
    let mut slow = Vec::new();
    for _ in 0..5 {
        // Open, and never read again.
        slow.push(scene.open2().await);
    }
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-100-rate-20", "hello").await;
    client.settled().await;
    assert_eq!(client.last().content, words(100));
    assert_eq!(client.syncs, 1, "it missed nothing");
}

/// Fails unless the client has the stored messages.
#[track_caller]
pub fn assert_shows(client: &ChatClient, stored: &[String]) {
    let visible: Vec<_> = client
        .messages
        .iter()
        .map(|visible| {
            format!(
                "{} {} {} {}",
                visible.role, visible.kind, visible.status, visible.content
            )
        })
        .collect();
    assert_eq!(visible, stored);
}

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
