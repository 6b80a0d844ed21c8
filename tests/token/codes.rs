//! Logging in with a code from the mail.

use serde_json::json;

use super::{Person, Town};
use crate::support::{FakeMail, Response, Setup};

const EMAIL: &str = "josef@example.com";

/// No code at all, or not the one that was sent.
fn other_than(code: &str) -> String {
    let digit = if code.starts_with('0') { '1' } else { '0' };
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn a_code_logs_in_once() {
    let town = Town::new().await;
    let sent = town.ask_code(EMAIL).await;
    sent.is(200, r#"{"detail":"A code is on its way to this address."}"#);
    let mails = town.mail.mails(EMAIL).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["from"], "Kafka <login@example.com>");
    let code = town.mail.code(EMAIL).await;
    let login = town.try_code(EMAIL, &format!(" {code}\n")).await;
    let person = Person::of(&login);
    assert_eq!(person.email, EMAIL);
    let keys: Vec<_> = login
        .json()
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["user_id", "email", "workspaces", "models", "token"]);

    town.try_code(EMAIL, &code)
        .await
        .is_error(401, "The code is wrong or has expired.");
    // The second time it is the same person, in another session.
    let again = town.person(EMAIL).await;
    assert_eq!(again.id, person.id);
    assert_ne!(again.token, person.token);
    let database = town.server.database().await;
    assert_eq!(
        (
            database.count("user").await,
            database.count("workspace").await
        ),
        (1, 1)
    );
    assert_eq!(database.count("login_code").await, 0);
}

/// Tries a code from another address than this one's.
async fn try_from(town: &Town, address: &str, code: &str) -> Response {
    let body = json!({ "email": EMAIL, "code": code }).to_string();
    let request = town.server.post("/auth/login").json(body);
    request.header("x-forwarded-for", address).send().await
}

#[tokio::test]
async fn a_code_that_is_used_by_many_at_once_logs_in_one_of_them() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    // From as many addresses, so that none of them counts as guessing.
    let addresses: Vec<_> = (1..=20).map(|it| format!("192.0.2.{it}")).collect();
    let tries = addresses.iter().map(|it| try_from(&town, it, &code));
    let answers = futures::future::join_all(tries).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    let let_in = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(let_in, 1, "{statuses:?}");
    let others = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(others, 19, "{statuses:?}");
    let database = town.server.database().await;
    assert_eq!(database.count("session").await, 1);
}

#[tokio::test]
async fn codes_are_guessed_five_times_from_one_address() {
    // Whatever the variable says.
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    for _ in 0..5 {
        let wrong = town.try_code(EMAIL, &other_than(&code)).await;
        wrong.is_error(401, "The code is wrong or has expired.");
    }
    town.try_code(EMAIL, &code).await.has_status(429);
    // The person has another address, whose limit is not used up.
    try_from(&town, "203.0.113.7", &code).await.has_status(200);

    // Who is let in has not guessed.
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    for _ in 0..5 {
        let wrong = town.try_code(EMAIL, &other_than(&code)).await;
        wrong.has_status(401);
    }
    town.try_code(EMAIL, &code).await.has_status(429);
}

/// It takes more addresses than a stranger has to keep the person out.
#[tokio::test]
async fn codes_are_guessed_five_hundred_times_from_all_addresses() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    assert_eq!(code.len(), 10, "so that they are not enough");
    let mut addresses = (1..).map(|n| match n % 2 {
        0 => format!("192.0.2.{n}"),
        _ => format!("2001:db8:0:{n:x}00::1"),
    });
    for address in addresses.by_ref().take(100) {
        for _ in 0..5 {
            let wrong = try_from(&town, &address, &other_than(&code)).await;
            wrong.has_status(401);
        }
    }
    // Each takes a while, in which one more is free.
    let mut refused = false;
    for address in addresses.take(100) {
        let answer = try_from(&town, &address, &other_than(&code)).await;
        refused = answer.status == 429;
        if refused {
            break;
        }
    }
    assert!(refused, "so many addresses are too many");
    // As if ten minutes had passed for the limit alone.
    town.server
        .change("UPDATE rate_limit SET free_at = free_at - 600000")
        .await;
    try_from(&town, "203.0.113.3", &code).await.has_status(200);
}

/// The limit of all addresses together locks out only addresses that have tried before.
#[tokio::test]
async fn a_stranger_with_many_networks_locks_no_user_out() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    let wrong = other_than(&code);
    // A /48 has 256 networks of customers; 120 may try 600 codes.
    let (networks, wrong) = ((1..=120).map(|n| format!("2001:db8:0:{n:x}00::1")), &wrong);
    let tries = networks.map(async |network| {
        let mut last = 0;
        for _ in 0..5 {
            last = try_from(&town, &network, wrong).await.status;
        }
        last
    });
    let statuses = futures::future::join_all(tries).await;
    assert!(statuses.contains(&429), "all may try five hundred");
    // Who has tried may not even show the right one.
    let tried = try_from(&town, "2001:db8:0:100::1", &code).await;
    tried.has_status(429);
    // Who has not may try one, and learns no more of it than others do.
    all_is_used_up(&town).await;
    let stranger = try_from(&town, "198.51.100.7", wrong).await;
    stranger.is_error(429, "Too many requests. Please try again later.");
    // The person is in the strangers' network, or elsewhere.
    let person = try_from(&town, "2001:db8:0:f000::1", &code).await;
    person.has_status(200);
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    all_is_used_up(&town).await;
    try_from(&town, "203.0.113.9", &code).await.has_status(200);
}

/// As if strangers had tried as many codes just now as may be tried from all addresses together.
async fn all_is_used_up(town: &Town) {
    let used_up = "
        INSERT OR REPLACE INTO rate_limit (key, free_at, step, period, refused)
        SELECT 'guess of josef@example.com', unixepoch() * 1000 + 700000, 1200, 600000, 0";
    town.server.change(used_up).await;
}

/// No attacker has as many addresses as it then takes.
#[tokio::test]
async fn thousands_of_guesses_make_codes_longer() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let short = town.mail.code(EMAIL).await;
    all_is_used_up(&town).await;
    let stranger = try_from(&town, "192.0.2.1", &other_than(&short)).await;
    stranger.has_status(429);
    // So many more as half a day forgets.
    let more =
        "UPDATE rate_limit SET free_at = free_at + 12 * 3600000 WHERE key LIKE 'hammered of %'";
    town.server.change(more).await;
    town.ask_code(EMAIL).await.has_status(200);
    let mails = town.mail.mails(EMAIL).await;
    let text = mails[1]["text"].as_str().expect("a text");
    let long = text.split(' ').next().expect("a word");
    assert_eq!(long.len(), 20, "{text}");
    assert!(long.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
    // What was sent before is as good as ever, and others get what they always did.
    try_from(&town, "203.0.113.8", &short).await.has_status(200);
    try_from(&town, "203.0.113.9", long).await.has_status(200);
    town.ask_code("leni@example.com").await.has_status(200);
    assert_eq!(town.mail.code("leni@example.com").await.len(), 10);
    // It is over by itself, and nothing is left of who leaves.
    let person = {
        town.server
            .change("UPDATE rate_limit SET free_at = free_at - 12 * 3600000")
            .await;
        town.person(EMAIL).await
    };
    let leaves = town.server.delete(&format!("/user/{}", person.id));
    leaves.by(&person).send().await.has_status(200);
    let dump = town.server.database().await.dump().await;
    assert!(!dump.contains(EMAIL), "{dump}");
}

/// Of ten digits, a plain hash could be tried on all codes in seconds.
#[tokio::test]
async fn a_copy_of_the_database_gives_no_code_away() {
    let key = |byte: u8| {
        use base64::Engine;
        base64::prelude::BASE64_STANDARD.encode([byte; 32])
    };
    let with = |secret: &str, old: &str| {
        Setup::app()
            .variable("secret_key", secret)
            .variable("secret_key_old", old)
    };
    let town = Town::with(with(&key(1), "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    let stored = town.server.database().await;
    let stored = stored.texts("SELECT code_hash FROM login_code").await;
    let plain = |text: &str| {
        use base64::Engine;
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(hash)
    };
    for text in [
        code.clone(),
        format!("{EMAIL}\n{code}"),
        format!("{EMAIL}{code}"),
    ] {
        assert_ne!(stored, [plain(&text)], "{text:?}");
    }
    // It is good while the key changes, and not without.
    let Town { server, mail } = town;
    let state = server.kill();
    let setup = with(&key(3), "").state(state).token_mode(&mail);
    let town = Town {
        server: setup.start().await,
        mail,
    };
    town.try_code(EMAIL, &code).await.has_status(401);
    let Town { server, mail } = town;
    let state = server.kill();
    let setup = with(&key(2), &key(1)).state(state).token_mode(&mail);
    let town = Town {
        server: setup.start().await,
        mail,
    };
    town.try_code(EMAIL, &code).await.has_status(200);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_asking_for_another_changes_nothing() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    let mine = town.mail.code(EMAIL).await;
    // A stranger asks as often as they may.
    let mut refused = 0;
    for _ in 0..20 {
        let body = json!({ "email": EMAIL }).to_string();
        let request = town.server.post("/auth/code").json(body);
        let answer = request.header("x-forwarded-for", "192.0.2.1").send().await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10);
    town.try_code(EMAIL, &mine).await.has_status(200);
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    town.server
        .change("UPDATE login_code SET expires_at = expires_at - 600000")
        .await;
    town.try_code(EMAIL, &code)
        .await
        .is_error(401, "The code is wrong or has expired.");
}

/// More than can be asked for while one is good.
#[tokio::test]
async fn sixty_codes_are_good_at_once() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    let mut codes = Vec::new();
    for _ in 0..61 {
        town.ask_code(EMAIL).await.has_status(200);
        codes.push(town.mail.code(EMAIL).await);
    }
    let kept = town.server.database().await.count("login_code").await;
    assert_eq!(kept, 60);
    town.try_code(EMAIL, &codes[1]).await.has_status(200);
    town.try_code(EMAIL, &codes[60]).await.has_status(200);
    town.try_code(EMAIL, &codes[0]).await.has_status(401);
}

#[tokio::test]
async fn a_code_is_for_its_address_and_not_readable_in_the_database() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    town.ask_code("leni@example.com").await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    town.try_code("leni@example.com", &code)
        .await
        .has_status(401);
    let dump = town.server.database().await.dump().await;
    assert!(!dump.contains(&code), "a code is stored as it is");
    assert!(!town.server.log_so_far().await.contains(&code));
    town.try_code(EMAIL, &code).await.has_status(200);
}

#[tokio::test]
async fn answers_do_not_reveal_whether_an_account_exists() {
    let town = Town::new().await;
    town.person(EMAIL).await;
    let (known, unknown) = (
        town.ask_code(EMAIL).await,
        town.ask_code("unknown@example.com").await,
    );
    known.is(200, unknown.text());
    let (known, unknown) = (
        town.try_code(EMAIL, "x").await,
        town.try_code("stranger@example.com", "x").await,
    );
    known.is(401, unknown.text());
}

#[tokio::test]
async fn an_email_alone_is_no_proof() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    let response = town.server.login(EMAIL).await;
    response.has_status(422);
    assert_eq!(response.json()["detail"][0]["loc"], json!(["body", "code"]));
    for body in [
        json!({}),
        json!({ "email": EMAIL, "code": 5 }),
        json!({ "email": "x", "code": "1" }),
    ] {
        let response = town
            .server
            .post("/auth/login")
            .json(body.to_string())
            .send()
            .await;
        response.has_status(422);
    }
    assert_eq!(town.server.database().await.count("user").await, 0);
}

#[tokio::test]
async fn without_a_provider_there_are_no_codes() {
    let server = Setup::app().variable("auth_mode", "token").start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let response = server.post("/auth/code").json(body).send().await;
    response.is_error(404, "This server sends no codes by mail.");
}

#[tokio::test]
async fn a_provider_that_takes_no_mail_is_named_in_the_log_only() {
    let mail = FakeMail::start();
    let mut setup = Setup::app().variable("auth_mode", "token");
    for (name, value) in mail.variables() {
        let value = if name == "mail_key" {
            "wrong-key-91"
        } else {
            &value
        };
        setup = setup.variable(name, value);
    }
    let server = setup.start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let response = server.post("/auth/code").json(body).send().await;
    response.is_error(503, "The code could not be sent. Please try again later.");
    server
        .logs("the mail provider (mail_url): it answers 401")
        .await;
    assert!(!server.log().contains("wrong-key-91"));
}

#[tokio::test]
async fn in_open_mode_there_is_nothing_to_prove() {
    let server = crate::support::Server::start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let detail = "This server runs in open mode, where nobody logs in with a proof.";
    for request in [
        server.post("/auth/code").json(body),
        server.post("/auth/logout"),
        server.get("/auth/sessions"),
        server.delete("/auth/sessions"),
        server.delete("/auth/sessions/x"),
        server.post("/ws/ticket"),
    ] {
        request.send().await.is_error(404, detail);
    }
}
