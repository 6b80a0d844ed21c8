//! What ends a socket that only listens, when word of it has been lost. It takes a minute, so its name is early in the
//! alphabet, in which tests begin: the last ones would have a core each, and wait.

use super::Town;
use crate::realtime::through_both;
use crate::support::Setup;

async fn a_socket_that_only_listens_is_looked_at_again(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let mut socket = josef.socket(&town, &josef.chat(&town, "c").await).await;
    // As if word of the session's end had been lost; or it has expired, of which there is none.
    town.server
        .change("UPDATE session SET expires_at = 1")
        .await;
    // Within a minute, which is less than the test's patience.
    assert_eq!(socket.closed().await, Some(1008));
}

through_both! {
    a_socket_that_only_listens_is_looked_at_again,
}
