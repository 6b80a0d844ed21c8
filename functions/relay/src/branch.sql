-- Puts the message ?2 of the chat ?1, and all before it, on the active branch, under the rev ?3: those that another one
-- is preferred to, so that a long branch is not rewritten. The way up ends where it meets the end of the active branch, so
-- that what is done there costs the same in a long chat. Returns what was changed.
WITH RECURSIVE
active (id, turn) AS (
    SELECT head_id, 1 FROM chat WHERE id = ?1 AND head_id IS NOT NULL
    UNION ALL
    SELECT message.parent_id, turn + 1
    FROM active JOIN chat_conversation AS message ON message.id = active.id
    WHERE message.parent_id IS NOT NULL AND turn < 100
),
up (id) AS (
    SELECT ?2
    -- Each once: what follows itself would never end.
    UNION
    SELECT message.parent_id FROM up JOIN chat_conversation AS message ON message.id = up.id
    WHERE message.parent_id IS NOT NULL AND up.id NOT IN (SELECT id FROM active)
)
UPDATE chat_conversation AS message SET selected = ?3
WHERE id IN (SELECT id FROM up) AND CASE
    WHEN parent_id IS NULL THEN EXISTS (
        SELECT 1 FROM chat_conversation AS other INDEXED BY chat_conversation_root
        WHERE other.chat_id = message.chat_id AND other.parent_id IS NULL
            AND (other.selected, other.rowid) > (message.selected, message.rowid)
    )
    ELSE EXISTS (
        SELECT 1 FROM chat_conversation AS other
        WHERE other.parent_id = message.parent_id
            AND (other.selected, other.rowid) > (message.selected, message.rowid)
    )
END
RETURNING id
