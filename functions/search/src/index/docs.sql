-- Adds what is in the list ?1, as an id, a start and words, to what the index is about, if it is there and new. ?2 is
-- its kind.
INSERT INTO search_doc (source_id, start)
SELECT value ->> 0, value ->> 1 FROM json_each(?1)
WHERE CASE ?2
    WHEN 'message' THEN EXISTS (SELECT 1 FROM chat_conversation WHERE id = value ->> 0)
    WHEN 'text' THEN EXISTS (SELECT 1 FROM file_text WHERE content_id = value ->> 0)
    WHEN 'chat' THEN EXISTS (SELECT 1 FROM chat WHERE id = value ->> 0)
    WHEN 'file' THEN EXISTS (SELECT 1 FROM file WHERE id = value ->> 0)
    ELSE EXISTS (SELECT 1 FROM chat_file WHERE id = value ->> 0)
END
ON CONFLICT DO NOTHING
