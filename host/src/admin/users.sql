-- The next ?2 users after the rowid ?1, oldest first.
SELECT rowid AS place, id, email, max(stored_bytes, 0) AS stored_bytes, quota_bytes, last_login_at, disabled_at
FROM "user" WHERE rowid > ?1 ORDER BY rowid LIMIT ?2
