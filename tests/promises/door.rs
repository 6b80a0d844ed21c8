//! The door is closed (docs/promises.md#11-closed-door): every operation refuses who comes from elsewhere, and in token
//! mode who has no session, or had one.

use crate::support::{House, Operation, Request, World, by};

/// What needs no session in token mode.
const PUBLIC: [&str; 18] = [
    "auth_login",
    "auth_code",
    "auth_oidc_start",
    "web_home",
    "web_chat_page",
    "web_app_file",
    "web_about",
    "web_openapi",
    "web_docs",
    "web_websocket",
    "web_docs_file",
    "web_style",
    "web_health",
    "web_ready",
    "conversation_socket",
    "conversation_socket_events",
    "feed_socket",
    "feed_socket_events",
];

/// What makes a request one from elsewhere.
type Elsewhere = (&'static str, fn(Request) -> Request);

const ORIGIN: Elsewhere = ("a foreign origin", |request| {
    request.header("origin", "https://evil.example")
});
const NULL_ORIGIN: Elsewhere = ("an origin that hides itself", |request| {
    request.header("origin", "null")
});
const HOST: Elsewhere = ("a foreign host", |request| {
    request.header("host", "evil.example")
});
const CLIENT: Elsewhere = ("a client of another machine", |request| {
    request.header("x-forwarded-for", "203.0.113.7")
});
const PROXY: Elsewhere = ("a proxy that hides its client", |request| {
    request.header("via", "1.1 proxy")
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_open_mode_every_operation_refuses_other_hosts_and_pages() {
    let house = House::open().await;
    refuses_elsewhere(&house, &[ORIGIN, NULL_ORIGIN, HOST, CLIENT, PROXY]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_every_operation_refuses_pages_from_elsewhere() {
    let house = House::token().await;
    refuses_elsewhere(&house, &[ORIGIN, NULL_ORIGIN]).await;
}

async fn refuses_elsewhere(house: &House, elsewhere: &[Elsewhere]) {
    let owner = house.world("owner@example.com").await;
    let before = house.dump().await;
    let mut wrong = Vec::new();
    let description = house.description().await;
    let operations = &description.operations;
    let for_everybody = operations.iter().filter(|operation| !operation.has_door());
    let for_everybody: Vec<_> = for_everybody.map(|it| it.id.as_str()).collect();
    assert_eq!(for_everybody, ["web_health", "web_ready"]);
    for operation in operations {
        for (what, from_elsewhere) in elsewhere {
            let input = &owner.valid(operation)[0];
            let request = input.request(&house.server, operation);
            let answer = from_elsewhere(by(request, owner.token())).send().await;
            let expected = if operation.has_door() { 403 } else { 200 };
            if answer.status != expected {
                let status = answer.status;
                wrong.push(format!("{}: {what} was answered {status}", operation.id));
            } else {
                description.allows(operation, &answer);
            }
        }
        if operation.has_door() {
            wrong.extend(preflight(house, &owner, operation).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(without_checks(&house.dump().await), without_checks(&before));
}

/// The rows without the one that a check of readiness writes.
fn without_checks(dump: &str) -> Vec<&str> {
    let is_check = |row: &&str| row.starts_with("rate_limit ") && row.contains("readyz");
    dump.lines().filter(|row| !is_check(row)).collect()
}

/// A preflight request of a foreign page is refused.
async fn preflight(house: &House, owner: &World, operation: &Operation) -> Option<String> {
    let input = &owner.valid(operation)[0];
    let answer = input
        .request_by("OPTIONS", &house.server, operation)
        .header("origin", "https://evil.example")
        .header("access-control-request-method", &operation.method)
        .send()
        .await;
    let allowed = answer.header("access-control-allow-origin");
    (answer.status != 400 || !allowed.is_empty()).then(|| {
        let status = answer.status;
        format!("{}: a preflight was answered {status}", operation.id)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_every_operation_asks_for_a_session_that_is_good() {
    let house = House::token().await;
    let owner = house.world("owner@example.com").await;
    let bad = bad_tokens(&house, &owner).await;
    let before = house.dump().await;
    let mut wrong = Vec::new();
    let mut public = Vec::new();
    let description = house.description().await;
    for operation in &description.operations {
        if !operation.needs_session {
            public.push(operation.id.as_str());
            continue;
        }
        for (what, token) in &bad {
            let input = &owner.valid(operation)[0];
            let request = input.request(&house.server, operation);
            let answer = by(request, token.as_deref()).send().await;
            if answer.status != 401 || answer.header("www-authenticate") != "Bearer" {
                let status = answer.status;
                wrong.push(format!("{}: {what} was answered {status}", operation.id));
            } else {
                description.allows(operation, &answer);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(public, PUBLIC);
    assert_eq!(house.dump().await, before);
    let good = by(house.server.get("/auth/sessions"), owner.token());
    good.send().await.has_status(200);
}

/// A browser sends the cookie with requests of every page; it also sends the origin of that page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_no_page_of_another_site_changes_anything_with_the_cookie() {
    let house = House::token().await;
    let owner = house.world("owner@example.com").await;
    let cookie = format!("kafka_session={}", owner.token().expect("token mode"));
    let before = house.dump().await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    let description = house.description().await;
    for operation in &description.operations {
        if operation.method == "GET" || !operation.needs_session {
            continue;
        }
        for input in owner.valid(operation) {
            tried += 1;
            let request = input.request(&house.server, operation);
            let request = request.header("cookie", &cookie);
            let answer = request.header("sec-fetch-site", "cross-site").send().await;
            if answer.status == 403 {
                description.allows(operation, &answer);
            } else {
                wrong.push(format!("{} was answered {}", operation.id, answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 20, "{tried}");
    assert_eq!(house.dump().await, before);
    // The cookie itself is good.
    let sessions = house.server.get("/auth/sessions").header("cookie", &cookie);
    sessions.send().await.has_status(200);
}

/// Tokens that belong to no session, with their descriptions.
async fn bad_tokens(house: &House, owner: &World) -> Vec<(&'static str, Option<String>)> {
    let new = async || house.login(&owner.user.email).await.string("/token");
    let (expired, revoked) = (new().await, new().await);
    let logout = by(house.server.post("/auth/logout"), Some(&revoked));
    logout.send().await.has_status(200);
    let good = owner.token().expect("token mode").to_owned();
    let first = if good.starts_with('A') { 'B' } else { 'A' };
    let altered = format!("{first}{}", &good[1..]);
    let gone = house.login("gone@example.com").await;
    let (user, gone) = (gone.string("/user_id"), gone.string("/token"));
    let leave = by(house.server.delete(&format!("/user/{user}")), Some(&gone));
    leave.send().await.has_status(200);
    // The newest that is left. At the end, because a login sweeps what has expired.
    house
        .server
        .change("UPDATE session SET expires_at = 1 WHERE rowid = (SELECT max(rowid) FROM session)")
        .await;
    vec![
        ("no user", None),
        ("no token", Some("x".to_owned())),
        ("an expired session", Some(expired)),
        ("a session that was ended", Some(revoked)),
        ("an altered token", Some(altered)),
        ("a deleted user", Some(gone)),
    ]
}
