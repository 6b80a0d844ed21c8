-- The users with the id ?1, or with the e-mail ?1, in lower case ?2.
SELECT id, email, disabled_at IS NOT NULL AS is_disabled FROM "user" WHERE id = ?1
UNION
SELECT id, email, disabled_at IS NOT NULL FROM "user" WHERE email = ?1 OR email_key = ?2
