//! Rate limits (docs/promises.md#9-limits), per person and per address.

use serde_json::json;

use super::Town;
use crate::support::{FakeModel, Multipart, Request, Response, Setup};

async fn town(limits: &str) -> Town {
    Town::with(Setup::app().variable("rate_limits", limits)).await
}

/// Fails unless the answer is 429 with a `Retry-After` of at most `seconds`.
#[track_caller]
fn is_too_many(response: &Response, seconds: u64) {
    response.is_error(429, "Too many requests. Please try again later.");
    let wait: u64 = response
        .header("retry-after")
        .parse()
        .expect("a number of seconds");
    assert!((1..=seconds).contains(&wait), "{wait}");
}

/// A request from another address, which a proxy on this machine reports.
fn from(request: Request, address: &str) -> Request {
    request.header("x-forwarded-for", address)
}

#[tokio::test]
async fn codes_are_sent_so_often_to_an_address() {
    let town = town("code=3/3600").await;
    for _ in 0..3 {
        town.ask_code("josef@example.com").await.has_status(200);
    }
    is_too_many(&town.ask_code("josef@example.com").await, 1200);
    assert_eq!(town.mail.mails("josef@example.com").await.len(), 3);
    town.ask_code("leni@example.com").await.has_status(200);
    // An hour later.
    town.server
        .change("UPDATE rate_limit SET free_at = free_at - 3600000")
        .await;
    town.ask_code("josef@example.com").await.has_status(200);
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_user_wait() {
    let town = town("code=3/3600 login=20/600").await;
    for _ in 0..3 {
        town.ask_code("josef@example.com").await.has_status(200);
    }
    // What was counted while the clock was three days ahead.
    town.server
        .change("UPDATE rate_limit SET free_at = free_at + 3 * 24 * 3600000")
        .await;
    is_too_many(&town.ask_code("josef@example.com").await, 1200);
    // And from then on time passes as always: a third of an hour later.
    town.server
        .change("UPDATE rate_limit SET free_at = free_at - 1200000")
        .await;
    town.ask_code("josef@example.com").await.has_status(200);
    is_too_many(&town.ask_code("josef@example.com").await, 1200);
    // A code of that time is none.
    let code = town.mail.code("josef@example.com").await;
    town.server
        .change("UPDATE login_code SET expires_at = expires_at + 3 * 24 * 3600000")
        .await;
    town.try_code("josef@example.com", &code)
        .await
        .has_status(401);
}

#[tokio::test]
async fn logins_are_limited_whether_they_succeed_or_not() {
    let town = town("login=3/600").await;
    for _ in 0..3 {
        town.try_code("josef@example.com", "1")
            .await
            .has_status(401);
    }
    is_too_many(&town.try_code("josef@example.com", "1").await, 200);
    town.person("leni@example.com").await;
}

#[tokio::test]
async fn an_address_may_ask_four_times_as_often_as_a_person() {
    let town = town("code=1/3600").await;
    let ask = |n: usize, address: &'static str| {
        let body = json!({ "email": format!("user{n}@example.com") }).to_string();
        from(town.server.post("/auth/code").json(body), address).send()
    };
    for n in 0..4 {
        ask(n, "203.0.113.7").await.has_status(200);
    }
    is_too_many(&ask(4, "203.0.113.7").await, 900);
    // What a client writes into the header itself is further away than the proxy's word.
    is_too_many(&ask(5, "198.51.100.1, 203.0.113.7").await, 900);
    ask(6, "203.0.113.8").await.has_status(200);
    // In IPv6 one customer has a whole network.
    for n in 10..14 {
        ask(n, "2001:db8:1:1::1").await.has_status(200);
    }
    is_too_many(&ask(14, "2001:db8:1:ff:ffff::2").await, 900);
    ask(15, "2001:db8:1:100::1").await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_people_at_one_address_send_and_upload_too_much() {
    let limits = "message=1/600 upload=1/600";
    let setup = Setup::app().variable("rate_limits", limits);
    let town = Town::with(setup.variable("allow_private_models", "true")).await;
    let model = FakeModel::start();
    let (one, another) = ("203.0.113.7", "203.0.113.8");
    for n in 0..6 {
        let person = town.person(&format!("user{n}@example.com")).await;
        let chat = person.chat(&town, "c").await;
        person
            .model(&town, "fake-words-2-rate-0", &model.base_url())
            .await;
        let ask = |address| {
            let request = town.server.post(&format!("/chat/{chat}/messages"));
            let request = request.by(&person).header("accept", "application/json");
            from(request.json(r#"{"prompt":"x"}"#), address).send()
        };
        let upload = |address| {
            let form = Multipart::new()
                .text("target_id", &person.workspace)
                .text("is_chat", "false")
                .file("files", "a.txt", "text");
            let request = town.server.post("/file/upload").by(&person).multipart(form);
            from(request, address).send()
        };
        match n {
            // As often as they may themselves.
            0..4 => {
                ask(one).await.has_status(202);
                upload(one).await.has_status(200);
            }
            // For the first time.
            4 => {
                is_too_many(&ask(one).await, 150);
                is_too_many(&upload(one).await, 150);
            }
            _ => {
                ask(another).await.has_status(202);
                upload(another).await.has_status(200);
            }
        }
    }
}

#[tokio::test]
async fn an_address_that_is_refused_uses_up_no_users_limit() {
    let town = town("login=2/600").await;
    let try_code = |email: String, address: &'static str| {
        let body = json!({ "email": email, "code": "1" }).to_string();
        from(town.server.post("/auth/login").json(body), address).send()
    };
    for n in 0..8 {
        let answer = try_code(format!("user{n}@example.com"), "203.0.113.7").await;
        answer.has_status(401);
    }
    let database = town.server.database().await;
    let before = database.count("rate_limit").await;
    for n in 0..20 {
        let answer = try_code(format!("other{n}@example.com"), "203.0.113.7").await;
        is_too_many(&answer, 75);
    }
    for _ in 0..3 {
        let answer = try_code("josef@example.com".to_owned(), "203.0.113.7").await;
        is_too_many(&answer, 75);
    }
    assert_eq!(database.count("rate_limit").await, before);
    let answer = try_code("josef@example.com".to_owned(), "203.0.113.8").await;
    answer.has_status(401);
}

#[tokio::test]
async fn it_takes_four_strangers_to_fill_a_mailbox() {
    let town = town("code=1/600").await;
    let ask = |address: &'static str, email: &'static str| {
        let body = json!({ "email": email }).to_string();
        from(town.server.post("/auth/code").json(body), address).send()
    };
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        ask(address, "josef@example.com").await.has_status(200);
        // Most mailboxes receive mail for every spelling of their name.
        is_too_many(&ask(address, "Josef@example.com").await, 600);
    }
    ask("192.0.2.4", "josef@example.com").await.has_status(200);
    is_too_many(&ask("192.0.2.5", "josef@example.com").await, 150);
}

#[tokio::test]
async fn strangers_who_try_codes_lock_no_user_out() {
    let town = town("login=5/600").await;
    town.ask_code("josef@example.com").await.has_status(200);
    let code = town.mail.code("josef@example.com").await;
    let log_in = |address: String, code: &str| {
        let body = json!({ "email": "josef@example.com", "code": code }).to_string();
        from(town.server.post("/auth/login").json(body), &address).send()
    };
    for stranger in 1..=8 {
        let address = format!("192.0.2.{stranger}");
        for _ in 0..5 {
            log_in(address.clone(), "1").await.has_status(401);
        }
        is_too_many(&log_in(address, &code).await, 120);
    }
    log_in("203.0.113.7".to_owned(), &code)
        .await
        .has_status(200);
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed() {
    let setup = Setup::app().variable("rate_limits", "code=1/3600");
    let town = Town::with(setup.variable("trusted_proxies", "192.0.2.1")).await;
    for n in 0..5 {
        let body = json!({ "email": format!("user{n}@example.com") }).to_string();
        let request = from(
            town.server.post("/auth/code").json(body),
            &format!("203.0.113.{n}"),
        );
        let status = request.send().await.status;
        assert_eq!(status, if n < 4 { 200 } else { 429 });
    }
}

#[tokio::test]
async fn uploads_are_limited_before_they_are_taken_in() {
    let town = town("upload=2/600").await;
    let josef = town.person("josef@example.com").await;
    let upload = || {
        let form = Multipart::new()
            .text("target_id", &josef.workspace)
            .text("is_chat", "false")
            .file("files", "a.txt", "text");
        town.server
            .post("/file/upload")
            .by(&josef)
            .multipart(form)
            .send()
    };
    upload().await.has_status(200);
    upload().await.has_status(200);
    is_too_many(&upload().await, 300);
    assert_eq!(town.server.database().await.count("file").await, 2);
}

#[tokio::test]
async fn uploads_are_limited_over_sockets_too() {
    let town = town("upload=2/600 message=100/60").await;
    let josef = town.person("josef@example.com").await;
    // Which uses up both.
    let (chat, [upload, revert, _]) = josef.stores(&town).await;
    let before = town.server.database().await.dump().await;
    let mut socket = josef.socket(&town, &chat).await;
    for message in [upload, revert] {
        socket.send(&message).await;
        let refused = socket.json().await;
        assert_eq!(refused["code"], "rate_limited", "{message}: {refused}");
    }
    // A limit that refuses has counted nothing.
    let after = town.server.database().await.dump().await;
    assert_eq!(after.len(), before.len());
}

#[tokio::test]
async fn messages_are_limited_over_http_and_sockets_together() {
    let town = town("message=2/600").await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let mut socket = josef.socket(&town, &chat).await;
    for _ in 0..2 {
        let body = json!({ "prompt": "x", "model": "none" }).to_string();
        let path = format!("/chat/{chat}/messages");
        let answer = town.server.post(&path).by(&josef).json(body).send().await;
        answer.is_error(404, "Model not found.");
    }
    socket
        .send(&json!({ "action": "new_message", "id": "1", "prompt": "x", "model": "none" }))
        .await;
    let refused = socket.json().await;
    assert_eq!(
        (&refused["code"], &refused["in_reply_to"]),
        (&json!("rate_limited"), &json!("1"))
    );
    assert!(
        refused["retry_after"]
            .as_u64()
            .is_some_and(|seconds| (1..=300).contains(&seconds))
    );
    let leni = town.person("leni@example.com").await;
    let path = format!("/chat/{}/messages", leni.chat(&town, "c").await);
    let body = json!({ "prompt": "x", "model": "none" }).to_string();
    town.server
        .post(&path)
        .by(&leni)
        .json(body)
        .send()
        .await
        .has_status(404);
}

#[tokio::test]
async fn limits_that_are_free_again_are_forgotten() {
    let town = town("code=10/3600").await;
    for n in 0..5 {
        town.ask_code(&format!("user{n}@example.com"))
            .await
            .has_status(200);
    }
    let database = town.server.database().await;
    // The address, and each e-mail from there and from everywhere.
    assert_eq!(database.count("rate_limit").await, 11);
    town.server
        .change("UPDATE rate_limit SET free_at = free_at - 2000000")
        .await;
    town.ask_code("new@example.com").await.has_status(200);
    assert_eq!(database.count("rate_limit").await, 3);
}

#[tokio::test]
async fn open_mode_counts_nothing() {
    let server = Setup::app()
        .variable("rate_limits", "login=1/60 message=1/60")
        .start()
        .await;
    for _ in 0..5 {
        server.login("josef@example.com").await.has_status(200);
    }
    assert_eq!(server.database().await.count("rate_limit").await, 0);
}
