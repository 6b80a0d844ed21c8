//! No id of another user's data is accepted (docs/promises.md#1-ownership), wherever it is in a request.
//!
//! Goes through every operation of `/openapi.json`; one that has no valid request in `tests/support/world.rs` fails.

use crate::support::{Description, House, Input, Operation, World, by};

/// Only the gateway gets further there; whose chats sockets open, and what they can name, is tested in `token::sockets`
/// `token::frames`, and `token::feed`.
const SOCKETS: [&str; 4] = [
    "conversation_socket",
    "conversation_socket_events",
    "feed_socket",
    "feed_socket_events",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_open_mode_users_reach_only_their_own_rows() {
    let tried = try_all(&House::open().await).await;
    assert!(tried > 60, "{tried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_users_reach_only_their_own_rows() {
    let tried = try_all(&House::token().await).await;
    assert!(tried > 200, "{tried}");
}

/// Sends each operation on behalf of a stranger, with each single id, and then all, being another's. Returns how many
/// requests that were.
async fn try_all(house: &House) -> usize {
    let owner = house.world("owner@example.com").await;
    let untouched = house.dump().await;
    let description = house.description().await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in &description.operations {
        if SOCKETS.contains(&operation.id.as_str()) {
            continue;
        }
        let inputs = owner.valid(operation).len();
        for number in 0..inputs {
            // Of their own for each, because some requests delete things.
            let email = format!("{}{number}@example.com", operation.id);
            let stranger = house.world(&email).await;
            let asking = Asking {
                house,
                description: &description,
                operation,
                by: &stranger,
            };
            let mine = &stranger.valid(operation)[number];
            let theirs = &owner.valid(operation)[number];
            let inputs = foreign(operation, mine, theirs, &stranger);
            if inputs.is_empty() {
                continue;
            }
            for (what, input) in inputs {
                for method in asking.methods() {
                    tried += 1;
                    let trouble = asking.refused(method, &input).await;
                    wrong.extend(trouble.map(|it| format!("with another's {what}: {it}")));
                }
            }
            // So it was the ids that were refused.
            for input in own(operation, mine, &stranger) {
                wrong.extend(asking.answered(&input).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_is_untouched(house, &owner, &untouched).await;
    tried
}

/// The request with each of the stranger's ids being the owner's, one at a time, and then with all of them. In token
/// mode the same without the name of the caller, where it need not be sent.
fn foreign(
    operation: &Operation,
    mine: &Input,
    theirs: &Input,
    stranger: &World,
) -> Vec<(String, Input)> {
    let mut ids = mine.ids_of(stranger);
    if stranger.session.is_none() {
        // A request without a user may use every row by its id; and a request that names a user acts for that user.
        let Some(caller) = mine.caller() else {
            return Vec::new();
        };
        ids.retain(|name| *name != caller);
    }
    let mut inputs = exchanged(mine, theirs, &ids);
    if let Some(caller) = superfluous_caller(operation, mine, stranger) {
        ids.retain(|name| *name != caller);
        let nameless = exchanged(&mine.without(caller), theirs, &ids).into_iter();
        inputs.extend(nameless.map(|(what, input)| (format!("{what}, without {caller}"), input)));
    }
    inputs
}

/// The request with what `theirs` has for each of the names, and then for all of them.
fn exchanged(mine: &Input, theirs: &Input, names: &[&str]) -> Vec<(String, Input)> {
    let single = names
        .iter()
        .map(|name| ((*name).to_owned(), mine.with(name, theirs)));
    let mut inputs: Vec<_> = single.collect();
    if names.len() > 1 {
        let all = names
            .iter()
            .fold(mine.clone(), |input, name| input.with(name, theirs));
        inputs.push((names.join(", "), all));
    }
    inputs
}

/// The request as it should be, and without the name of the caller, where it need not be sent. What deletes is sent
/// once, as a client with a session would.
fn own(operation: &Operation, mine: &Input, stranger: &World) -> Vec<Input> {
    let caller = superfluous_caller(operation, mine, stranger);
    let nameless = caller.map(|caller| mine.without(caller));
    let is_named = operation.method != "DELETE" || nameless.is_none();
    let named = is_named.then(|| mine.clone());
    named.into_iter().chain(nameless).collect()
}

/// The field that names the caller, if the session names the caller already and the field may be left out.
fn superfluous_caller<'a>(
    operation: &Operation,
    mine: &'a Input,
    stranger: &World,
) -> Option<&'a str> {
    stranger.session.as_ref()?;
    mine.caller().filter(|name| !operation.requires(name))
}

/// An operation, and who asks for it.
struct Asking<'a> {
    house: &'a House,
    description: &'a Description,
    operation: &'a Operation,
    by: &'a World,
}

impl Asking<'_> {
    /// What may be read may be asked about, too.
    fn methods(&self) -> Vec<&str> {
        match self.operation.method.as_str() {
            "GET" => vec!["GET", "HEAD"],
            method => vec![method],
        }
    }

    /// The failure, unless the answer is 404 and no row has changed.
    async fn refused(&self, method: &str, input: &Input) -> Option<String> {
        let before = self.house.dump().await;
        let request = input.request_by(method, &self.house.server, self.operation);
        let answer = by(request, self.by.token()).send().await;
        let changed = self.house.dump().await != before;
        if answer.status == 404 && !changed {
            if method != "HEAD" {
                self.description.allows(self.operation, &answer);
            }
            return None;
        }
        let text = String::from_utf8_lossy(&answer.body);
        let (id, status) = (&self.operation.id, answer.status);
        Some(format!(
            "{method} {id} {status} {text}, the database changed: {changed}"
        ))
    }

    /// The failure, unless each method has the right answer.
    async fn answered(&self, input: &Input) -> Option<String> {
        for method in self.methods() {
            let request = input.request_by(method, &self.house.server, self.operation);
            let answer = by(request, self.by.token()).send().await;
            self.house.settles().await;
            if answer.status != input.status {
                let text = String::from_utf8_lossy(&answer.body);
                let (id, status) = (&self.operation.id, answer.status);
                return Some(format!("{method} {id} of one's own: {status} {text}"));
            }
        }
        None
    }
}

/// The owner still reads all rows, and the stored rows are exactly those from before the strangers' requests.
async fn assert_is_untouched(house: &House, owner: &World, before: &str) {
    for operation in house.description().await.operations {
        if operation.method != "GET" || !operation.needs_session {
            continue;
        }
        for input in owner.valid(&operation) {
            let request = input.request(&house.server, &operation);
            let answer = by(request, owner.token()).send().await;
            answer.has_status(input.status);
        }
    }
    let ids = owner.ids();
    let before: Vec<_> = before.lines().collect();
    let dump = house.dump().await;
    // The requests of theirs above have made an index of what they have, and were recorded.
    let is_made = |row: &&str| row.starts_with("search_") || row.contains("Text(\"exported\")");
    let is_theirs =
        |row: &&str| before.contains(row) || !is_made(row) && ids.iter().any(|id| row.contains(id));
    let after: Vec<_> = dump.lines().filter(is_theirs).collect();
    assert_eq!(after, before);
    let login = house.login(&owner.user.email).await;
    assert!(login.text().contains("private.txt"), "{}", login.text());
}
