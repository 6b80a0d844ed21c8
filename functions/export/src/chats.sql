-- The first ?3 chats behind the place ?2 of the user ?1.
SELECT rowid AS place, id AS "chat.id", name AS "chat.name", workspace_id AS "chat.workspace_id",
    last_updated AS "chat.last_updated", is_pinned AS "chat.is_pinned", is_archived AS "chat.is_archived",
    head_id AS "chat.head_id",
    strftime('%Y-%m-%dT%H:%M:%f', active_at / 1000.0, 'unixepoch') || '000+00:00' AS "chat.active_at",
    instructions AS "chat.settings.instructions", model_id AS "chat.settings.model_id", temperature AS "chat.settings.temperature",
    top_p AS "chat.settings.top_p", max_tokens AS "chat.settings.max_tokens", reasoning_effort AS "chat.settings.reasoning_effort", extra AS "chat.settings.extra"
FROM chat WHERE user_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
