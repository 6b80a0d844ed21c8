-- The end of the branch that comes down from the message ?1. (UNION: messages that follow each other in a circle end, and have
-- no end.)
WITH RECURSIVE down (id) AS (
    SELECT ?1
    UNION
    SELECT (
        SELECT id FROM chat_conversation WHERE parent_id = down.id ORDER BY selected DESC, rowid DESC LIMIT 1
    )
    FROM down WHERE down.id IS NOT NULL
)
SELECT id FROM down WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM chat_conversation WHERE parent_id = down.id)
