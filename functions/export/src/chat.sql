-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), and whose it is.
SELECT user_id, id AS "chat.id", name AS "chat.name", workspace_id AS "chat.workspace_id",
    last_updated AS "chat.last_updated", is_pinned AS "chat.is_pinned", is_archived AS "chat.is_archived",
    head_id AS "chat.head_id"
FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
