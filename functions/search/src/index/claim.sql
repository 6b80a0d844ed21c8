-- Begins to write to the index of the user ?1 at ?2, until ?3, unless another request is at it. Clocks may have been set
-- back, so a time far ahead is as good as one that has passed. Returns how far it is.
INSERT INTO search_user (user_id, busy_until)
SELECT id, ?3 FROM "user" WHERE id = ?1
ON CONFLICT (user_id) DO UPDATE SET busy_until = excluded.busy_until
WHERE busy_until NOT BETWEEN ?2 AND ?3
RETURNING stage, place
