//! Guessing codes.

use serde_json::json;

use super::super::Town;
use super::{EMAIL, other_than};
use crate::support::{Response, Setup};

/// Tries a code from another address than this one's.
pub(super) async fn try_from(town: &Town, address: &str, code: &str) -> Response {
    let body = json!({ "email": EMAIL, "code": code }).to_string();
    let request = town.server.post("/auth/login").json(body);
    request.header("x-forwarded-for", address).send().await
}

#[tokio::test]
async fn codes_are_guessed_five_times_from_one_address() {
    // Regardless of the variable.
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
