//! What costs something is limited (docs/promises.md#9-limits), and so is everything that stores.

use crate::support::{House, Operation, Setup, World, by};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limits_hold_in_every_operation() {
    let limits =
        "login=1000/60 code=1000/60 message=1000/60 upload=1000/60 create=1000/60 search=1000/60";
    let house = House::token_with(Setup::app().variable("rate_limits", limits)).await;
    let world = house.world("josef@example.com").await;
    let used_up = "
        INSERT OR REPLACE INTO rate_limit (key, free_at, step, period, refused)
        SELECT what.value || ' of ' || who.value, 4102444800000, 60, 60000, 0
        FROM json_each('[\"login\",\"code\",\"message\",\"upload\",\"create\",\"search\"]') AS what,
            (SELECT id AS value FROM user UNION SELECT email || ' from 127.0.0.1' FROM user) AS who
        UNION ALL VALUES ('login from 127.0.0.1', 4102444800000, 60, 60000, 0)";
    // How much of these goes on at a time is limited, not how often (`token::long_work`).
    let at_a_time = [
        "file_content",
        "conversation_events_of_reply",
        "feed_events",
        "export_chat",
        "export_user_data",
    ];
    let limited = refused(&house, &world, used_up, 429, |operation| {
        operation.is_limited() && !at_a_time.contains(&operation.id.as_str())
    });
    let limited = limited.await;
    let wanted = [
        "auth_code",
        "auth_oidc_start",
        "chat_change",
        "chat_new",
        "chat_rename",
        "conversation_copy",
        "conversation_edit",
        "conversation_edit_stream",
        "conversation_rate",
        "conversation_regenerate",
        "conversation_regenerate_stream",
        "conversation_send",
        "conversation_send_stream",
        "export_import",
        "file_rename",
        "file_upload",
        "models_change",
        "models_new",
        "models_test",
        "search_find",
        "settings_change",
        "versions_revert",
        "versions_save",
        "workspace_change",
        "workspace_new",
        "workspace_rename",
    ];
    assert_eq!(limited, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quota_holds_in_every_operation() {
    let setup = Setup::app().variable("rate_limits", "");
    let house = House::token_with(setup.variable("storage_quota_bytes", "1000000")).await;
    let stores = storing(&house).await;
    assert!(stores.len() >= 4, "{stores:?}");
    let world = house.world("josef@example.com").await;
    let full = "UPDATE user SET stored_bytes = 1000000";
    let refused = refused(&house, &world, full, 413, |it| stores.contains(&it.id)).await;
    assert_eq!(refused, stores);
}

/// The ids of the operations after which more is stored than before, in order. Fails if one of them is not limited.
async fn storing(house: &House) -> Vec<String> {
    let stored = async || {
        let sql = "SELECT sum(stored_bytes) FROM user";
        house.server.database().await.number(sql).await
    };
    let mut storing = Vec::new();
    for operation in house.description().await.operations {
        // Of their own for each, because some requests delete things.
        let world = house.world(&format!("{}@example.com", operation.id)).await;
        let before = stored().await;
        for input in world.valid(&operation) {
            let request = input.request(&house.server, &operation);
            by(request, world.token())
                .send()
                .await
                .has_status(input.status);
        }
        house.settles().await;
        // Deleting a file adds a message to its chats, and must work even when the quota is reached.
        if stored().await > before && !operation.id.ends_with("_delete") {
            let id = &operation.id;
            assert!(operation.is_limited(), "{id} stores as often as one likes");
            storing.push(operation.id);
        }
    }
    storing.sort();
    storing
}

/// Fails unless the operations, asked for as they should be, are answered with this status, and nothing changes but
/// the counted requests. Their ids, in order.
async fn refused(
    house: &House,
    world: &World,
    prepare: &str,
    status: u16,
    which: impl Fn(&Operation) -> bool,
) -> Vec<String> {
    let stored = async || {
        let dump = house.dump().await;
        let rows = dump.lines().filter(|row| !row.starts_with("rate_limit "));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    house.server.change(prepare).await;
    let before = stored().await;
    let mut refused = Vec::new();
    let description = house.description().await;
    for operation in &description.operations {
        // A login wants a new code each time; `token::limits` has it.
        if !which(operation) || operation.id == "auth_login" {
            continue;
        }
        for input in world.valid(operation) {
            // Each time, since a used limit becomes free again.
            house.server.change(prepare).await;
            let request = input.request(&house.server, operation);
            let answer = by(request, world.token()).send().await;
            answer.has_status(status);
            assert_eq!(status == 429, !answer.header("retry-after").is_empty());
            description.allows(operation, &answer);
        }
        refused.push(operation.id.clone());
    }
    assert_eq!(stored().await, before);
    refused.sort();
    refused
}
