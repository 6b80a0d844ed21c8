-- Names the chat ?1 ?2, at ?3, if no person has named it since it was taken to be named.
UPDATE chat SET name = ?2, last_updated = ?3, auto_title = 0, rev = rev + 1
WHERE id = ?1 AND auto_title = 2
RETURNING rev
