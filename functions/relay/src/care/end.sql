-- The end of the branch that comes down from the message ?2 of the chat ?1, or if that is NULL from its first message. (UNION:
-- messages that follow each other in a circle end, and have no end.)
WITH RECURSIVE down (id) AS (
    SELECT coalesce(?2, (
        SELECT id FROM chat_conversation INDEXED BY chat_conversation_root
        WHERE chat_id = ?1 AND parent_id IS NULL ORDER BY selected DESC, rowid DESC LIMIT 1
    ))
    UNION
    SELECT (
        SELECT id FROM chat_conversation WHERE parent_id = down.id ORDER BY selected DESC, rowid DESC LIMIT 1
    )
    FROM down WHERE down.id IS NOT NULL
)
SELECT id FROM down WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM chat_conversation WHERE parent_id = down.id)
