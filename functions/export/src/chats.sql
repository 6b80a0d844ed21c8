-- The first ?3 chats behind the place ?2 of the user ?1.
SELECT rowid AS place, id AS "chat.id", name AS "chat.name", workspace_id AS "chat.workspace_id",
    last_updated AS "chat.last_updated", is_pinned AS "chat.is_pinned", is_archived AS "chat.is_archived",
    head_id AS "chat.head_id"
FROM chat WHERE user_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
