-- Takes the lease ?1 of kind ?2 for the user ?3 until ?5, where at ?4 the user has fewer than ?6 and all together have
-- fewer than ?7.
-- A time later than the lease's own is of a clock that has gone back since, and good for nothing.
INSERT INTO long_work (id, kind, user_id, expires_at)
SELECT ?1, ?2, ?3, ?5
WHERE (SELECT count(*) FROM long_work WHERE user_id = ?3 AND kind = ?2 AND expires_at BETWEEN ?4 AND ?5) < ?6
    AND (SELECT count(*) FROM long_work WHERE kind = ?2 AND expires_at BETWEEN ?4 AND ?5) < ?7
RETURNING id
