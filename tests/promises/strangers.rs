//! Promises 1 and 2: nobody sees or touches another's thing, whatever id of it they name, and wherever in a request.
//!
//! Goes through every operation of `/openapi.json`; one that has no valid request in `tests/support/world.rs` fails.

use crate::support::{House, Input, Operation, World, by};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_open_mode_who_names_themselves_touches_only_what_is_theirs() {
    let tried = try_all(&House::open().await).await;
    assert!(tried > 40, "{tried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_everybody_touches_only_what_is_theirs() {
    let tried = try_all(&House::token().await).await;
    assert!(tried > 100, "{tried}");
}

/// Sends each operation on behalf of a stranger, with each single id, and then all, being another's. Returns how many
/// requests that were.
async fn try_all(house: &House) -> usize {
    let owner = house.world("owner@example.com").await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in house.operations().await {
        // Only the gateway gets further at sockets; whose chats they open is tested in `token::sockets`.
        if operation.id.starts_with("conversation_socket") {
            continue;
        }
        let inputs = owner.valid(&operation).len();
        for number in 0..inputs {
            // Of their own for each, because some requests delete things.
            let email = format!("{}{number}@example.com", operation.id);
            let stranger = house.world(&email).await;
            let mine = &stranger.valid(&operation)[number];
            let theirs = &owner.valid(&operation)[number];
            let inputs = foreign(mine, theirs, &stranger);
            if inputs.is_empty() {
                continue;
            }
            tried += inputs.len();
            for (what, input) in inputs {
                if let Some(trouble) = refused(house, &operation, &input, &stranger).await {
                    wrong.push(format!("{} with another's {what}: {trouble}", operation.id));
                }
            }
            // So it was the ids that were refused.
            let request = mine.request(&house.server, &operation);
            let answer = by(request, stranger.token()).send().await;
            if answer.status != mine.status {
                let (status, text) = (answer.status, answer.text());
                wrong.push(format!("{} of one's own: {status} {text}", operation.id));
            }
            house.settles().await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_is_untouched(house, &owner).await;
    tried
}

/// The request with each of the stranger's ids being the owner's, one at a time, and then with all of them.
fn foreign(mine: &Input, theirs: &Input, stranger: &World) -> Vec<(String, Input)> {
    let mut ids = mine.ids_of(stranger);
    if stranger.session.is_none() {
        // Who names nobody may use what they know the id of; and who names another is taken for them.
        let Some(caller) = mine.caller() else {
            return Vec::new();
        };
        ids.retain(|name| *name != caller);
    }
    let single = ids
        .iter()
        .map(|name| ((*name).to_owned(), mine.with(name, theirs)));
    let mut inputs: Vec<_> = single.collect();
    if ids.len() > 1 {
        let all = ids
            .iter()
            .fold(mine.clone(), |input, name| input.with(name, theirs));
        inputs.push((ids.join(", "), all));
    }
    inputs
}

/// What is wrong, unless the answer is that there is no such thing, and nothing has changed.
async fn refused(
    house: &House,
    operation: &Operation,
    input: &Input,
    stranger: &World,
) -> Option<String> {
    let before = house.dump().await;
    let request = input.request(&house.server, operation);
    let answer = by(request, stranger.token()).send().await;
    let changed = house.dump().await != before;
    (answer.status != 404 || changed).then(|| {
        let text = String::from_utf8_lossy(&answer.body);
        format!("{} {text}, the database changed: {changed}", answer.status)
    })
}

/// The owner sees what they had.
async fn assert_is_untouched(house: &House, owner: &World) {
    let login = house.login(&owner.user.email).await;
    for operation in house.operations().await {
        if operation.method != "GET" || !operation.needs_session {
            continue;
        }
        for input in owner.valid(&operation) {
            let request = input.request(&house.server, &operation);
            let answer = by(request, owner.token()).send().await;
            answer.has_status(input.status);
        }
    }
    assert!(login.text().contains("private.txt"), "{}", login.text());
}
