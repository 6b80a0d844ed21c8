-- The next ?4 entries after ?1, of the user ?2 (NULL: of all users), not older than ?3.
SELECT audit.id AS id, at, action, actor, user_id, "user".email AS email, object, audit.address AS address
FROM audit LEFT JOIN "user" ON "user".id = audit.user_id
WHERE audit.id > ?1 AND (?2 IS NULL OR user_id = ?2) AND at >= ?3
ORDER BY audit.id LIMIT ?4
