-- The end of the branch that comes down from the message ?1.
WITH RECURSIVE down (id, turn) AS (
    SELECT ?1, 0
    UNION ALL
    SELECT (
        SELECT id FROM chat_conversation WHERE parent_id = down.id ORDER BY selected DESC, rowid DESC LIMIT 1
    ), turn + 1
    FROM down WHERE down.id IS NOT NULL
)
SELECT id FROM down WHERE id IS NOT NULL ORDER BY turn DESC LIMIT 1
