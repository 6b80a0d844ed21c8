-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), and whose it is.
SELECT user_id, id AS "chat.id", name AS "chat.name", workspace_id AS "chat.workspace_id",
    last_updated AS "chat.last_updated", is_pinned AS "chat.is_pinned", is_archived AS "chat.is_archived",
    head_id AS "chat.head_id",
    strftime('%Y-%m-%dT%H:%M:%f', active_at / 1000.0, 'unixepoch') || '000+00:00' AS "chat.active_at",
    instructions AS "chat.settings.instructions", model_id AS "chat.settings.model_id", temperature AS "chat.settings.temperature",
    top_p AS "chat.settings.top_p", max_tokens AS "chat.settings.max_tokens", reasoning_effort AS "chat.settings.reasoning_effort", extra AS "chat.settings.extra"
FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
