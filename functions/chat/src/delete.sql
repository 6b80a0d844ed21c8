-- Deletes the chat ?1 for the caller ?2 (NULL: whoever knows the id), with its messages, its files and their versions.
-- The files of the workspace stay. No row back: no such chat of theirs.
DELETE FROM chat
WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
RETURNING id
