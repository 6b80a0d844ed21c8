-- What a new message or reply in the chat ?1 of the caller ?2 (NULL: any caller who knows the id) needs to know: the owner; the
-- running reply; what the client called ?3 when it sent it before; the model with the id ?4 and the name ?5 (NULL: any),
-- the newest of several, and without both that of the settings, if they have one; the settings of each level; the head
-- of the active branch, the rev and the last position; the message ?6 of this chat, and the message that a reply beside it
-- or to it answers; whether the chat is to be named, and has files; the bytes and the files that the owner has; the tokens
-- of this month, when it ends, and in how many seconds; how many replies of the owner run, with heartbeats from ?7 to ?8;
-- how many of all users, if there may be ?9 or more. No row: no such chat of theirs.
SELECT running.id AS "running.id", running.heartbeat AS "running.heartbeat",
    CASE sent.role WHEN 'assistant' THEN sent.parent_id ELSE sent.id END AS "sent.message_id",
    reply.id AS "sent.generation_id", reply.message_id AS "sent.reply_message_id",
    model.id AS "model.id", model.name AS "model.name", model.base_url AS "model.base_url",
    model.ak AS "model.sealed_key", model.user_id AS "model.owner", model.context_chars AS "model.context_chars",
    model.timeout_seconds AS "model.timeout_seconds", model.headers AS "model.sealed_headers",
    model.query AS "model.query", model.key_header AS "model.key_header", model.learnt AS "model.learnt",
    model.takes_images AS "model.takes_images", chat.head_id, chat.rev,
    coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) AS position,
    named.id AS "named.id", named.role AS "named.role", named.type AS "named.type",
    named.parent_id AS "named.parent_id", named.file_ids AS "named.file_ids", answered.id AS answered_id,
    owner.stored_bytes, owner.num_files,
    chat.auto_title = 1 AS wants_title, EXISTS (SELECT 1 FROM chat_file WHERE chat_id = chat.id) AS has_files,
    owner.instructions AS "levels.user.instructions", owner.model_id AS "levels.user.model_id", owner.temperature AS "levels.user.temperature",
    owner.top_p AS "levels.user.top_p", owner.max_tokens AS "levels.user.max_tokens", owner.reasoning_effort AS "levels.user.reasoning_effort",
    owner.extra AS "levels.user.extra",
    workspace.instructions AS "levels.workspace.instructions", workspace.model_id AS "levels.workspace.model_id", workspace.temperature AS "levels.workspace.temperature",
    workspace.top_p AS "levels.workspace.top_p", workspace.max_tokens AS "levels.workspace.max_tokens", workspace.reasoning_effort AS "levels.workspace.reasoning_effort",
    workspace.extra AS "levels.workspace.extra",
    chat.instructions AS "levels.chat.instructions", chat.model_id AS "levels.chat.model_id", chat.temperature AS "levels.chat.temperature",
    chat.top_p AS "levels.chat.top_p", chat.max_tokens AS "levels.chat.max_tokens", chat.reasoning_effort AS "levels.chat.reasoning_effort",
    chat.extra AS "levels.chat.extra",
    iif(owner.usage_month = strftime('%Y-%m', 'now'), owner.usage_tokens, 0) AS tokens_of_month,
    date('now', 'start of month', '+1 month') AS month_ends,
    CAST(strftime('%s', 'now', 'start of month', '+1 month') - strftime('%s', 'now') AS INTEGER) AS month_left,
    (SELECT count(*) FROM generation WHERE owner_id = chat.user_id AND status = 'running'
        AND heartbeat BETWEEN ?7 AND ?8) AS running_of_owner,
    iif((SELECT count(*) FROM generation WHERE status = 'running') < ?9, 0,
        (SELECT count(*) FROM generation WHERE status = 'running' AND heartbeat BETWEEN ?7 AND ?8)) AS running_in_total
FROM chat
JOIN "user" AS owner ON owner.id = chat.user_id
JOIN workspace ON workspace.id = chat.workspace_id
LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
LEFT JOIN chat_conversation AS sent ON sent.chat_id = chat.id AND sent.client_id = ?3
LEFT JOIN generation AS reply ON reply.rowid = CASE sent.role
    WHEN 'assistant' THEN (SELECT min(rowid) FROM generation WHERE message_id = sent.id)
    ELSE (
        SELECT min(generation.rowid) FROM chat_conversation AS answer
        JOIN generation ON generation.message_id = answer.id
        WHERE answer.parent_id = sent.id
    )
END
LEFT JOIN model ON model.rowid = (
    SELECT max(rowid) FROM model
    WHERE user_id = chat.user_id AND (?5 IS NULL OR name = ?5)
        AND id = coalesce(?4, iif(?5 IS NULL, coalesce(chat.model_id, workspace.model_id, owner.model_id), NULL), id)
)
LEFT JOIN chat_conversation AS named ON named.id = ?6 AND named.chat_id = chat.id
LEFT JOIN chat_conversation AS answered
    ON answered.id = CASE named.role WHEN 'user' THEN named.id ELSE named.parent_id END AND answered.role = 'user'
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
