-- Keeps what came of reading the content ?1. Returns a file that has it.
UPDATE file_text
SET state = ?2, alive_at = NULL, reason = ?3, kind = ?4, characters = ?5, is_truncated = ?6, text = ?7
WHERE content_id = ?1 AND state = 'pending'
RETURNING (SELECT id FROM file WHERE content_id = ?1 LIMIT 1) AS file_id
