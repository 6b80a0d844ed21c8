-- The e-mail of the user ?1.
SELECT email FROM "user" WHERE id = ?1
