-- Makes the user ?1 with the e-mail ?2, in lower case ?3, unless a user has it, in any letter case.
INSERT INTO "user" (id, email, email_key)
SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM "user" WHERE email_key = ?3 OR email = ?2)
RETURNING id
