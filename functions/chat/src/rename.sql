-- Names the chat ?3 ?1, at ?2, for the caller ?4 (NULL: any caller who knows the id). Returns its rev; no row: no such chat of theirs.
UPDATE chat
SET name = ?1, last_updated = ?2, auto_title = 0, rev = rev + 1
WHERE id = ?3 AND (?4 IS NULL OR user_id = ?4)
RETURNING rev
