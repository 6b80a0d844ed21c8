-- What the user ?1 finds, in the workspace ?2 (NULL: in all), of the kinds in the list ?3, by the expression ?4, in which
-- each `_` is to have the part before it that is searched. Of each kind the newest ?5 that match are found, and at most
-- about ?6 of those that match are looked at. They come best first, at most ?7 of them from place ?8 on, each with at
-- most ?9 characters of its text. Each row has whether all is indexed. No row: no such user or workspace; one without a
-- number: nothing was found.
WITH RECURSIVE
asked AS (
    SELECT id, coalesce((SELECT stage = 'done' FROM search_user WHERE user_id = ?1), 0)
        AND NOT EXISTS (SELECT 1 FROM search_pending WHERE user_id = ?1) AS is_complete
    FROM "user"
    WHERE id = ?1 AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = ?2 AND owner_id = ?1))
),
-- From part to part, the newest first. What is found is a list: how many were looked at, and those that count.
walk (kind, part_id, num_seen, num_found, found) AS (
    SELECT value, 9223372036854775807, 0, 0, '[0,[]]' FROM json_each(?3)
    UNION ALL
    SELECT walk.kind, part.id, num_seen + (found ->> 0), num_found + json_array_length(found, '$[1]'), (
        SELECT json_array(count(*), json_group_array(json_array(place, score)) FILTER (WHERE score IS NOT NULL))
        FROM (
            SELECT search_index.rowid AS place, CASE WHEN ?2 IS NULL OR EXISTS (
                SELECT 1 FROM search_doc AS doc WHERE doc.id = search_index.rowid AND CASE walk.kind
                    WHEN 'message' THEN (
                        SELECT workspace_id FROM chat
                        WHERE id = (SELECT chat_id FROM chat_conversation WHERE id = doc.source_id)
                    ) = ?2
                    WHEN 'chat' THEN (SELECT workspace_id FROM chat WHERE id = doc.source_id) = ?2
                    WHEN 'file' THEN (SELECT workspace_id FROM file WHERE id = doc.source_id) = ?2
                    WHEN 'text' THEN EXISTS (
                        SELECT 1 FROM file WHERE content_id = doc.source_id AND workspace_id = ?2
                    )
                    ELSE (
                        SELECT workspace_id FROM chat
                        WHERE id = (SELECT chat_id FROM chat_file WHERE id = doc.source_id)
                    ) = ?2
                END
            ) THEN bm25(search_index) END AS score
            FROM search_index WHERE search_index MATCH replace(?4, '_', part.id || '_')
            ORDER BY search_index.rowid DESC LIMIT iif(?2 IS NULL, ?5, ?6)
        )
    )
    FROM walk JOIN search_part AS part ON part.id = (
        SELECT max(id) FROM search_part WHERE user_id = ?1 AND kind = walk.kind AND id < walk.part_id
    )
    WHERE num_found + json_array_length(found, '$[1]') < ?5 AND num_seen + (found ->> 0) < ?6
),
-- Of a long text the best piece.
best AS MATERIALIZED (
    SELECT walk.kind AS kind, doc.source_id AS source_id, doc.start AS start, doc.id AS place,
        min(hit.value ->> 1) AS score
    FROM walk JOIN json_each(walk.found, '$[1]') AS hit JOIN search_doc AS doc ON doc.id = hit.value ->> 0
    GROUP BY walk.kind, doc.source_id
    ORDER BY score, place DESC LIMIT ?7 OFFSET ?8
),
numbered AS (
    SELECT *, ?8 + row_number() OVER (ORDER BY score, place DESC) AS number FROM best
)
SELECT asked.is_complete AS is_complete, numbered.number AS rowid, numbered.kind AS "hit.kind",
    max(numbered.start, 0) AS "hit.start",
    CASE numbered.kind
        WHEN 'message' THEN substr(message.content, numbered.start + 1, ?9 + 1)
        WHEN 'text' THEN (SELECT substr(text, numbered.start + 1, ?9 + 1) FROM file_text WHERE content_id = file.content_id)
        WHEN 'version' THEN (
            SELECT substr(content, numbered.start + 1, ?9 + 1) FROM chat_file_version
            WHERE chat_file_id = made.id ORDER BY rowid DESC LIMIT 1
        )
        WHEN 'chat' THEN chat.name
        ELSE coalesce(file.filename, made.filename)
    END AS "hit.text",
    coalesce(file.workspace_id, chat.workspace_id) AS "hit.workspace_id",
    chat.id AS "hit.chat_id", chat.name AS "hit.chat_name", message.id AS "hit.message_id",
    message.role AS "hit.role", message.created_at AS "hit.created_at",
    coalesce(file.id, made.id) AS "hit.file_id", coalesce(file.filename, made.filename) AS "hit.filename",
    (SELECT json_group_array(chat_id) FROM (SELECT chat_id FROM chat_file WHERE file_id = file.id LIMIT 20)) AS "hit.chat_ids"
FROM asked
LEFT JOIN numbered
LEFT JOIN chat_conversation AS message ON message.id = iif(numbered.kind = 'message', numbered.source_id, NULL)
LEFT JOIN chat_file AS made ON made.id = iif(numbered.kind IN ('version', 'chat_file'), numbered.source_id, NULL)
LEFT JOIN file ON file.rowid = CASE numbered.kind
    WHEN 'file' THEN (SELECT rowid FROM file WHERE id = numbered.source_id)
    WHEN 'text' THEN (
        SELECT max(rowid) FROM file WHERE content_id = numbered.source_id AND (?2 IS NULL OR workspace_id = ?2)
    )
END
LEFT JOIN chat ON chat.id = CASE
    WHEN message.id IS NOT NULL THEN message.chat_id
    WHEN made.id IS NOT NULL THEN made.chat_id
    WHEN numbered.kind = 'chat' THEN numbered.source_id
END
ORDER BY numbered.number
