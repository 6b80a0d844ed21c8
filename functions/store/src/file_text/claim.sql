-- Begins to read the text of the content ?1 at ?2, unless it has been read, a reader is at it that began less than ?3
-- ago, or ?4 others are. Clocks may have been set back, so the future is as dead as the past.
INSERT INTO file_text (content_id, state, begun_at)
SELECT id, 'pending', ?2 FROM content
WHERE id = ?1
    AND (SELECT count(*) FROM file_text WHERE state = 'pending' AND begun_at BETWEEN ?2 - ?3 AND ?2 + ?3) < ?4
ON CONFLICT (content_id) DO UPDATE SET begun_at = excluded.begun_at
WHERE state = 'pending' AND begun_at NOT BETWEEN ?2 - ?3 AND ?2 + ?3
RETURNING
    (SELECT size FROM content WHERE id = content_id) AS size,
    (SELECT media_type FROM content WHERE id = content_id) AS media_type,
    coalesce(
        (SELECT filename FROM file WHERE file.content_id = file_text.content_id LIMIT 1),
        (SELECT filename FROM chat_file WHERE chat_file.content_id = file_text.content_id LIMIT 1)
    ) AS name,
    (SELECT bytes FROM content_chunk AS chunk WHERE chunk.content_id = file_text.content_id AND seq = 0) AS first_chunk
