-- The texts of files, read once, for models and for whoever searches them.

-- The text of a content. A content without a row is pending, too: it is older than this table, or its reader has not
-- begun.
CREATE TABLE file_text (
    content_id   TEXT NOT NULL PRIMARY KEY REFERENCES content (id) ON DELETE CASCADE,
    -- pending, ready or failed.
    state        TEXT NOT NULL,
    -- Of a pending one: milliseconds since 1970 at which its reader was known to be at it. It says so every second; some
    -- seconds later another one may begin.
    alive_at     INTEGER,
    -- Of a failed one: why there is no text, in a sentence for a person and for a model.
    reason       TEXT,
    -- What the file is, as its bytes say: pdf, word, plain …
    kind         TEXT,
    -- The length of the text.
    characters   INTEGER NOT NULL DEFAULT 0,
    -- Whether the file has more text than is kept.
    is_truncated INTEGER NOT NULL DEFAULT 0,
    text         TEXT
);

-- Those that are being read: how many may be at a time is limited.
CREATE INDEX file_text_pending ON file_text (alive_at) WHERE state = 'pending';

-- Of a packed file the text may be much longer than the file. What it is longer counts as stored, too, and goes with
-- the content.
ALTER TABLE content ADD COLUMN text_excess INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER file_text_is_counted AFTER UPDATE OF text ON file_text
WHEN NEW.text IS NOT NULL
BEGIN
    UPDATE content SET text_excess = max(octet_length(NEW.text) - size, 0)
    WHERE id = NEW.content_id AND octet_length(NEW.text) > size;
END;

CREATE TRIGGER content_text_is_counted AFTER UPDATE OF text_excess ON content
WHEN NEW.owner_id IS NOT NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes + NEW.text_excess - OLD.text_excess WHERE id = NEW.owner_id;
END;

DROP TRIGGER content_is_counted_off;

CREATE TRIGGER content_is_counted_off AFTER DELETE ON content
WHEN OLD.owner_id IS NOT NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes - OLD.size - OLD.text_excess WHERE id = OLD.owner_id;
END;
