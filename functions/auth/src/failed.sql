-- Notes a failed login from ?2 with the e-mail ?1, in lower case, or with a token (NULL).
INSERT INTO audit (action, actor, user_id, address)
VALUES ('login_failed', 'unknown', (SELECT id FROM "user" WHERE email_key = ?1 ORDER BY rowid LIMIT 1), ?2)
