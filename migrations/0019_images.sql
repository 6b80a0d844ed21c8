-- Files that belong to messages, and what models are sent of those that are pictures.

-- The image of a picture, made by component `extract` when it reads the file: upright, without metadata, small enough.
CREATE TABLE file_image (
    content_id TEXT NOT NULL PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    media_type TEXT NOT NULL,
    -- In pixels.
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    bytes      BLOB NOT NULL
);

-- What an image is longer than its file counts as stored, as with texts. A picture has no text.
CREATE TRIGGER file_image_is_counted AFTER INSERT ON file_image
BEGIN
    UPDATE content SET text_excess = octet_length(NEW.bytes) - size
    WHERE id = NEW.content_id AND octet_length(NEW.bytes) > size;
END;

-- Pictures that were read before there were images are read again when they are needed.
DELETE FROM file_text WHERE state = 'failed' AND (
    reason LIKE 'The file is a picture (PNG)%' OR reason LIKE 'The file is a picture (JPEG)%'
    OR reason LIKE 'The file is a picture (GIF)%' OR reason LIKE 'The file is a picture (WebP)%'
);

-- The files of a person's message: a JSON array of ids of chat_file, or NULL. Those that are gone are left out by
-- readers.
ALTER TABLE chat_conversation ADD COLUMN file_ids TEXT;

-- Whether the model takes images: 0, 1, or NULL where that is not known. Learnt, or set by its owner.
ALTER TABLE model ADD COLUMN takes_images INTEGER;

-- That it was learnt is told like what its owner sets.
DROP TRIGGER model_change_is_news;

CREATE TRIGGER model_change_is_news
AFTER UPDATE OF name, base_url, context_chars, timeout_seconds, header_names, query, key_header, takes_images ON model
WHEN (NEW.name, NEW.base_url, NEW.context_chars, NEW.timeout_seconds, NEW.header_names, NEW.query, NEW.key_header, NEW.takes_images)
    IS NOT (OLD.name, OLD.base_url, OLD.context_chars, OLD.timeout_seconds, OLD.header_names, OLD.query, OLD.key_header, OLD.takes_images)
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (NEW.user_id, 'model_changed', NEW.id);
END;
