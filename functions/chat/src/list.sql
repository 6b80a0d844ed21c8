-- The first ?7 chats of the user ?1 before the activity ?2 of the chat at the place ?3, the latest first: of the
-- workspace ?4 (NULL: any), archived or not as ?5 says, pinned or not as ?6 says (NULL: either). A reply whose heartbeat is
-- not within ?9 of ?8, which is now, runs no more. No row: no such user or workspace; one without a place: nothing there.
WITH listed (place) AS (
    SELECT rowid FROM (
        SELECT rowid FROM chat
        WHERE ?4 IS NULL AND ?6 IS NOT 1 AND user_id = ?1 AND is_archived = ?5 AND active_at <= ?2
            AND (active_at, rowid) < (?2, ?3) AND (?6 IS NULL OR is_pinned = ?6)
        ORDER BY active_at DESC, rowid DESC LIMIT ?7
    )
    UNION ALL
    SELECT rowid FROM (
        SELECT rowid FROM chat
        WHERE ?4 IS NOT NULL AND ?6 IS NOT 1 AND workspace_id = ?4 AND user_id = ?1 AND is_archived = ?5 AND active_at <= ?2
            AND (active_at, rowid) < (?2, ?3) AND (?6 IS NULL OR is_pinned = ?6)
        ORDER BY active_at DESC, rowid DESC LIMIT ?7
    )
    UNION ALL
    SELECT rowid FROM (
        SELECT rowid FROM chat
        WHERE ?6 = 1 AND is_pinned = 1 AND user_id = ?1 AND is_archived = ?5 AND active_at <= ?2
            AND (active_at, rowid) < (?2, ?3) AND (?4 IS NULL OR workspace_id = ?4)
        ORDER BY active_at DESC, rowid DESC LIMIT ?7
    )
)
SELECT chat.place AS place, chat.active_at AS active_ms, chat.id AS id, chat.name AS name,
    chat.workspace_id AS workspace_id, chat.preview AS preview, chat.is_pinned AS is_pinned,
    chat.is_archived AS is_archived,
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', chat.active_at / 1000.0, 'unixepoch') AS active_at,
    reply.id AS "generation.id", reply.message_id AS "generation.message_id", reply.model AS "generation.model",
    reply.seq AS "generation.seq"
FROM "user"
LEFT JOIN listed
LEFT JOIN listed_chat AS chat ON chat.place = listed.place
LEFT JOIN generation AS reply ON reply.chat_id = chat.id AND reply.status = 'running'
    AND reply.heartbeat BETWEEN ?8 - ?9 AND ?8 + ?9
WHERE "user".id = ?1 AND (?4 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = ?4 AND owner_id = "user".id))
ORDER BY chat.active_at DESC, chat.place DESC
