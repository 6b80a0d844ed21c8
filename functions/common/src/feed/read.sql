-- Entries of feeds, with what each is about as it is now: the first ?3 of the user ?1 after the rev ?2; or, where ?1 is
-- NULL, what is to be published of the things and users in the list ?4: of a user all entries; of a thing its own, and those
-- that its owner has from 250 milliseconds before its newest one on, which are what else its transaction noted, and what
-- others noted meanwhile. Among the newest 200 of all users, and of the 5 seconds before the newest, by the clock that all
-- entries have: an older one was published long ago. A reply whose heartbeat is not within ?6 of ?5, which is now, runs no
-- more. (CROSS JOIN: the few that are chosen come first.)
WITH recent AS MATERIALIZED (
    SELECT id, user_id, subject_id, noted_at FROM feed
    WHERE ?1 IS NULL AND id > (SELECT max(id) FROM feed) - 200
        AND noted_at > (SELECT noted_at FROM feed WHERE id = (SELECT max(id) FROM feed)) - 5000
),
told (user_id, from_then) AS (
    SELECT user_id, 0 FROM recent WHERE user_id IN (SELECT value FROM json_each(?4))
    UNION ALL
    SELECT user_id, max(noted_at) - 250 FROM recent WHERE subject_id IN (SELECT value FROM json_each(?4))
    GROUP BY user_id, subject_id
),
chosen (id) AS (
    SELECT id FROM (SELECT id FROM feed WHERE ?1 IS NOT NULL AND user_id = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3)
    UNION ALL
    SELECT id FROM recent JOIN (SELECT user_id, min(from_then) AS from_then FROM told GROUP BY user_id) USING (user_id)
    WHERE noted_at >= from_then OR subject_id IN (SELECT value FROM json_each(?4))
)
SELECT entry.user_id AS user_id, entry.rev AS rev, entry.kind AS kind, entry.subject_id AS subject_id, entry.reply_id AS reply_id,
    coalesce(entry.changed, '') AS changed,
    chat.id AS "chat.id", chat.name AS "chat.name", chat.workspace_id AS "chat.workspace_id", chat.preview AS "chat.preview",
    chat.is_pinned AS "chat.is_pinned", chat.is_archived AS "chat.is_archived",
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', chat.active_at / 1000.0, 'unixepoch') AS "chat.active_at",
    running.id AS "chat.generation.id", running.message_id AS "chat.generation.message_id",
    running.model AS "chat.generation.model", running.seq AS "chat.generation.seq",
    reply.message_id AS "reply.message_id", reply.model AS "reply.model", reply.status AS "reply.status",
    file.id AS "file.id", file.filename AS "file.filename", file.workspace_id AS "file.workspace_id",
    content.size AS "file.size", content.media_type AS "file.media_type",
    iif(file.id IS NULL, NULL, coalesce(known.state, 'pending')) AS "file.text_state", known.reason AS "file.text_error",
    model.id AS "model.id", model.name AS "model.name", model.base_url AS "model.base_url",
    model.user_id AS "model.user_id", model.context_chars AS "model.context_chars",
    model.timeout_seconds AS "model.timeout_seconds", model.header_names AS "model.headers",
    model.query AS "model.query", model.key_header AS "model.key_header",
    model.takes_images AS "model.capabilities.images",
    workspace.id AS "workspace.id", workspace.name AS "workspace.name"
FROM chosen CROSS JOIN feed AS entry ON entry.id = chosen.id
LEFT JOIN listed_chat AS chat ON chat.id = entry.subject_id AND entry.chat_rev IS NOT NULL
LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
    AND running.heartbeat BETWEEN ?5 - ?6 AND ?5 + ?6
LEFT JOIN generation AS reply ON reply.id = entry.reply_id
LEFT JOIN file ON file.id = entry.subject_id AND entry.kind IN ('file_created', 'file_changed')
LEFT JOIN content ON content.id = file.content_id
LEFT JOIN file_text AS known ON known.content_id = file.content_id
LEFT JOIN model ON model.id = entry.subject_id AND entry.kind IN ('model_created', 'model_changed')
LEFT JOIN workspace ON workspace.id = entry.subject_id AND entry.kind IN ('workspace_created', 'workspace_changed')
ORDER BY entry.id
