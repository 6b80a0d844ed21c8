-- The first ?3 chats of the user ?1 after the place ?2.
SELECT rowid AS place, id AS name_id, id AS conversation_id, NULL AS content_id, NULL AS version_id
FROM chat WHERE user_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
