-- Keeps the image of the content ?1, unless it has one.
INSERT INTO file_image (content_id, media_type, width, height, bytes)
SELECT id, ?2, ?3, ?4, ?5 FROM content WHERE id = ?1
ON CONFLICT DO NOTHING
