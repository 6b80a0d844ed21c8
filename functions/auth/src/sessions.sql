-- The sessions of the user ?1 that are good at ?3, oldest first. ?2 is the one that asks.
SELECT session.id AS id, created_at, extended_at, user_agent, session.id = ?2 AS current,
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', session.expires_at / 1000.0, 'unixepoch') AS expires_at
FROM session WHERE user_id = ?1 AND session.expires_at > ?3 ORDER BY session.rowid
