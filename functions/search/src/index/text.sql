-- At most ?3 characters of the text of the content ?1, after the first ?2.
SELECT substr(text, ?2 + 1, ?3) FROM file_text WHERE content_id = ?1 AND text IS NOT NULL
