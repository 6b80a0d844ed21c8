//! What a request calls the host for besides its statement
//! (docs/running.md#what-a-request-costs-under-spin).

use serde_json::json;

use crate::support::{Calls, Request, Setup, login};

const REQUESTS: usize = 40;

/// Those that `common::config` reads.
const VARIABLES: usize = 12;

/// And those that say whether there is somebody to tell of a change.
const OF_GATEWAYS: usize = 2;

/// What makes the request of this number.
type Asks<'a> = &'a dyn Fn(usize) -> Request;

#[tokio::test]
async fn a_request_calls_for_its_statement_and_an_instance_once_for_the_rest() {
    // Without a gateway: what it is told goes out beside the requests, and some of it with those that come next.
    let setup = Setup::app().logging_calls().variable("grip_url", "");
    let server = setup.start().await;
    let user = login(&server, "josef@example.com").await;
    let form = [
        ("user_id", user.id.as_str()),
        ("workspace_id", user.workspace.as_str()),
        ("chat_name", "a chat"),
    ];
    let email = json!({ "email": "josef@example.com" }).to_string();
    let logins = |_| server.post("/auth/login").json(email.clone());
    let chats = |_| server.post("/chat/new").form(&form);
    let kinds: [(&str, Asks<'_>, usize); 2] = [
        ("logins", &logins, VARIABLES),
        ("new chats", &chats, VARIABLES + OF_GATEWAYS),
    ];
    for (what, request, variables) in kinds {
        let calls = server.calls((0..REQUESTS).map(request)).await;
        let instances = calls.looks;
        assert!(instances <= 4, "{what}: {calls:?}");
        let expected = Calls {
            statements: REQUESTS,
            looks: instances,
            opened: instances,
            variables: instances * variables,
            key_value: 0,
            lines: 0,
        };
        assert_eq!(calls, expected, "{what}");
    }
}
