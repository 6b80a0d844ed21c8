-- Begins to read the text of the content ?1 at ?2, unless it has been read, a reader is at it that was alive less than ?3
-- ago, ?4 others are, or ?5 of the same owner. Clocks may have been set back, so the future is as dead as the past.
INSERT INTO file_text (content_id, state, alive_at)
SELECT id, 'pending', ?2 FROM content AS asked
WHERE id = ?1
    AND (SELECT count(*) FROM file_text WHERE state = 'pending' AND alive_at BETWEEN ?2 - ?3 AND ?2 + ?3) < ?4
    AND (
        SELECT count(*) FROM file_text AS other JOIN content AS of_other ON of_other.id = other.content_id
        WHERE other.state = 'pending' AND other.alive_at BETWEEN ?2 - ?3 AND ?2 + ?3
            AND of_other.owner_id IS asked.owner_id
    ) < ?5
ON CONFLICT (content_id) DO UPDATE SET alive_at = excluded.alive_at
WHERE state = 'pending' AND alive_at NOT BETWEEN ?2 - ?3 AND ?2 + ?3
RETURNING
    (SELECT size FROM content WHERE id = content_id) AS size,
    (SELECT media_type FROM content WHERE id = content_id) AS media_type,
    coalesce(
        (SELECT filename FROM file WHERE file.content_id = file_text.content_id LIMIT 1),
        (SELECT filename FROM chat_file WHERE chat_file.content_id = file_text.content_id LIMIT 1)
    ) AS name,
    (SELECT bytes FROM content_chunk AS chunk WHERE chunk.content_id = file_text.content_id AND seq = 0) AS first_chunk
