-- The user ?1 is at the stage ?4 and the place ?5 now, and no more at ?2 and ?3. No row: they were not.
UPDATE search_user SET stage = ?4, place = ?5, busy_until = ?6
WHERE user_id = ?1 AND stage = ?2 AND place = ?3
RETURNING user_id
