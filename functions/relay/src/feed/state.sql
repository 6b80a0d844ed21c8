-- Where the feed of the user ?1 is, and the running replies, one in a row. No row: no such user.
SELECT coalesce((SELECT max(rev) FROM feed WHERE user_id = ?1), 0) AS rev,
    reply.id AS "reply.id", reply.chat_id AS "reply.chat_id", reply.message_id AS "reply.message_id",
    reply.model AS "reply.model", reply.heartbeat AS "reply.heartbeat"
FROM "user"
LEFT JOIN generation AS reply ON reply.owner_id = "user".id AND reply.status = 'running'
WHERE "user".id = ?1
ORDER BY reply.rowid LIMIT 500
