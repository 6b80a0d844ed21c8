-- The session with the token's hash ?1 that has not expired by ?2, of a user who is not disabled.
SELECT session.id AS id, session.user_id AS user_id, session.token_hash AS token_hash,
    session.expires_at AS expires_at, max("user".stored_bytes, 0) AS stored_bytes,
    "user".quota_bytes AS quota_bytes
FROM session JOIN "user" ON "user".id = session.user_id
WHERE session.token_hash = ?1 AND session.expires_at > ?2 AND "user".disabled_at IS NULL
