-- Adds the message ?3 of a person with the text ?4, and its echo ?5 with the text ?6, to the end of the active branch of
-- the chat ?1 of the caller ?2 (NULL: any caller), at the time ?7, under the rev ?8 and the next.
WITH last (id, position) AS (
    SELECT head_id, coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = ?1), 0)
    FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
)
INSERT INTO chat_conversation
    (id, chat_id, role, type, content, parent_id, position, created_at, status, rev, selected)
SELECT ?3, ?1, 'user', 'text', ?4, last.id, last.position + 1, ?7, 'complete', ?8, ?8 FROM last
UNION ALL
SELECT ?5, ?1, 'assistant', 'text', ?6, ?3, last.position + 2, ?7, 'complete', ?8 + 1, ?8 + 1 FROM last
RETURNING parent_id
