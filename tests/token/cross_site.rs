//! Pages of other sites can't use the cookie of a user.

use super::Town;
use crate::support::Setup;

const STRANGER: &str = "https://evil.example";

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "mine").await;
    let before = town.server.database().await.dump().await;
    let form = [("chat_id", chat.as_str()), ("new_name", "yours")];
    let rename = || {
        let request = town.server.patch("/chat/rename");
        request.header("cookie", &josef.cookie()).form(&form)
    };
    for (name, value) in [
        ("origin", STRANGER),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let answer = rename().header(name, value).send().await;
        assert_eq!(answer.status, 403, "{name} {value}: {}", answer.text());
        // The page may read why, but not as the user: a browser keeps answers to cookies from it.
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    // Nor can it log a user in as another.
    let login = town.server.post("/auth/login").header("origin", STRANGER);
    login.json("{}").send().await.has_status(403);
    assert_eq!(town.server.database().await.dump().await, before);
    let own = format!("http://{}", town.server.address());
    rename()
        .header("origin", &own)
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn a_header_is_nothing_that_a_browser_adds_by_itself() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let request = town.server.post("/ws/ticket").by(&josef);
    request
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn an_allowed_page_may_send_the_cookie_and_read_the_answer() {
    let page = "https://app.example";
    let town = Town::with(Setup::app().variable("allowed_origins", page)).await;
    let josef = town.person("josef@example.com").await;
    let request = town
        .server
        .get("/auth/sessions")
        .header("cookie", &josef.cookie());
    let answer = request.header("origin", page).send().await;
    answer.has_status(200);
    assert_eq!(answer.header("access-control-allow-origin"), page);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    // A refusal can be read, too.
    let answer = town
        .server
        .get("/auth/sessions")
        .header("origin", page)
        .send()
        .await;
    answer.has_status(401);
    assert_eq!(answer.header("access-control-allow-origin"), page);
}

#[tokio::test]
async fn in_token_mode_anybody_may_call_from_anywhere() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let request = town
        .server
        .get("/auth/sessions")
        .by(&josef)
        .header("host", "app.example");
    request
        .header("x-forwarded-for", "203.0.113.9")
        .send()
        .await
        .has_status(200);
}
