-- The first ?5 entries of the user ?3 after the rev ?4 (with entries.sql).
WITH chosen (id) AS (SELECT id FROM feed WHERE user_id = ?3 AND rev > ?4 ORDER BY rev LIMIT ?5)
