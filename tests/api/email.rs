//! E-mail addresses (docs/http-compatibility.md#e-mail-addresses).

use serde_json::json;

use crate::support::{Response, Server};

/// The whole 422 for an address that is refused for this reason.
fn refusal(input: &str, reason: &str) -> String {
    json!({"detail": [{
        "type": "value_error",
        "loc": ["body", "email"],
        "msg": format!("value is not a valid email address: {reason}"),
        "input": input,
        "ctx": {"reason": reason},
    }]})
    .to_string()
}

#[tokio::test]
async fn ordinary_typing_mistakes_are_explained_to_the_letter() {
    let server = Server::start().await;
    let no_at = "An email address must have an @-sign.";
    let no_period = "The part after the @-sign is not valid. It should have a period.";
    let two_periods = "An email address cannot have two periods in a row.";
    for (input, reason) in [
        ("", no_at),
        ("foo", no_at),
        ("foo.example.com", no_at),
        ("foo＠example.com", no_at),
        ("foo@", "There must be something after the @-sign."),
        ("@example.com", "There must be something before the @-sign."),
        ("foo@localhost", no_period),
        ("foo@bar", no_period),
        ("a..b@example.com", two_periods),
        ("a@foo..com", two_periods),
        (
            ".a@example.com",
            "An email address cannot start with a period.",
        ),
        (
            "a.@example.com",
            "An email address cannot have a period immediately before the @-sign.",
        ),
        (
            "a@example.com.",
            "An email address cannot end with a period.",
        ),
        (
            "a@.foo.com",
            "An email address cannot have a period immediately after the @-sign.",
        ),
        (
            "a b@example.com",
            "The email address contains invalid characters before the @-sign: SPACE.",
        ),
        (
            "a,b@example.com",
            "The email address contains invalid characters before the @-sign: ','.",
        ),
        (
            "a@-foo.com",
            "An email address cannot have a hyphen immediately after the @-sign.",
        ),
        (
            "a@b@example.com",
            "The part after the @-sign contains invalid characters: '@'.",
        ),
    ] {
        server.login(input).await.is(422, &refusal(input, reason));
    }
}

#[tokio::test]
async fn rarer_mistakes_are_refused_in_the_same_shape() {
    let server = Server::start().await;
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.com", "b".repeat(64));
    let long_domain = format!("a@{}com", "b.".repeat(126));
    let very_long = format!("{}@example.com", "a".repeat(2100));
    for input in [
        "a(c)@example.com",
        "a\tb@example.com",
        "a\u{0}b@example.com",
        "a\u{a0}b@example.com",
        "a@fo_o.com",
        "a@foo-.com",
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@example.123",
        "\"a b\"@example.com",
        "a@x.test",
        "a@x.invalid",
        "a@x.local",
        "a@x.localhost",
        "a@x.onion",
        "a@x.arpa",
        "a@exa mple.com",
        "@",
        "@@",
        "a@b@",
        &long_local,
        &long_label,
        &long_domain,
        &very_long,
    ] {
        let response = server.login(input).await;
        response.has_status(422);
        let error = &response.json()["detail"][0];
        let reason = error["ctx"]["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty(), "{input}: {}", response.text());
        assert_eq!(response.text(), refusal(input, reason), "{input}");
    }
    assert_eq!(
        server
            .login(&very_long)
            .await
            .string("/detail/0/ctx/reason"),
        "Length must not exceed 2048 characters",
    );
}

#[tokio::test]
async fn addresses_are_normalised_and_the_answer_contains_the_result() {
    let server = Server::start().await;
    for (input, normal) in [
        ("Someone@Example.COM", "Someone@example.com"),
        ("  someone@example.com\n", "someone@example.com"),
        ("Some One <someone@example.com>", "someone@example.com"),
        ("\"Some One\" <someone@example.com>", "someone@example.com"),
        ("<someone@example.com>", "someone@example.com"),
        ("a@xn--bcher-kva.example.com", "a@bücher.example.com"),
        ("a@BÜCHER.example.com", "a@bücher.example.com"),
        ("Info@example.com", "info@example.com"),
        ("POSTMASTER@example.com", "postmaster@example.com"),
        ("e\u{301}@example.com", "é@example.com"),
        ("a+b@example.com", "a+b@example.com"),
        (
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ),
        ("用户@example.com", "用户@example.com"),
        ("a@b.c", "a@b.c"),
        ("a@example.net", "a@example.net"),
        ("a@example.org", "a@example.org"),
    ] {
        let response = server.login(input).await;
        assert_eq!(response.status, 200, "{input}: {}", response.text());
        assert_eq!(response.string("/email"), normal, "{input}");
    }
}

#[tokio::test]
async fn the_local_part_keeps_its_case_and_makes_another_user() {
    let server = Server::start().await;
    let id = |response: Response| response.string("/user_id");
    let upper = id(server.login("REC@example.com").await);
    let lower = id(server.login("rec@example.com").await);
    assert_ne!(upper, lower);
    assert_eq!(id(server.login("rec@EXAMPLE.com").await), lower);
    assert_eq!(
        id(server.login("SALES@example.com").await),
        id(server.login("sales@example.com").await)
    );
}
