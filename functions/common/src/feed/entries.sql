-- The entries of `chosen`, each with what it is about as it is now, oldest first. A reply whose heartbeat is not within ?2 of
-- ?1, which is now, runs no more. (CROSS JOIN: the few that are chosen come first.)
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
    AND running.heartbeat BETWEEN ?1 - ?2 AND ?1 + ?2
LEFT JOIN generation AS reply ON reply.id = entry.reply_id
LEFT JOIN file ON file.id = entry.subject_id AND entry.kind IN ('file_created', 'file_changed')
LEFT JOIN content ON content.id = file.content_id
LEFT JOIN file_text AS known ON known.content_id = file.content_id
LEFT JOIN model ON model.id = entry.subject_id AND entry.kind IN ('model_created', 'model_changed')
LEFT JOIN workspace ON workspace.id = entry.subject_id AND entry.kind IN ('workspace_created', 'workspace_changed')
ORDER BY entry.id
