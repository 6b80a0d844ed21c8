-- Notes that the user ?1 began an import, by a request from ?2. No row back: there is no such user.
INSERT INTO audit (action, actor, user_id, object, address)
SELECT 'imported', 'user', id, id, ?2 FROM "user" WHERE id = ?1
RETURNING id
