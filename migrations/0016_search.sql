-- What search needs: an index of words, made by component `search` when a user searches (docs/decisions.md#search). Of
-- users who have never searched there is nothing here, and the triggers write nothing.

-- A user who has searched. Until then there is no row, and nothing is noted for the index.
CREATE TABLE search_user (
    user_id    TEXT NOT NULL PRIMARY KEY REFERENCES "user" (id) ON DELETE CASCADE,
    -- What is being noted of what was there before: chats, files, chat_files; then done.
    stage      TEXT NOT NULL DEFAULT 'chats',
    -- The rowid up to which that is done.
    place      INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since 1970 until which a request is known to write to the index; another one leaves it to that one.
    busy_until INTEGER NOT NULL DEFAULT 0
);

-- What is to be indexed.
CREATE TABLE search_pending (
    user_id   TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- conversation (messages of a chat), text (of a content), version (the newest of a chat's file); names: chat, file,
    -- chat_file (that was made in its chat)
    kind      TEXT NOT NULL,
    source_id TEXT NOT NULL,
    -- Of a conversation the position, of a text the number of characters up to which it is done. Of what is indexed at
    -- once: how often it has changed since it was noted.
    done      INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, source_id)
);

-- A part of the index of a user: its id begins each of its words, so that no query reads words of other users, nor more
-- than a part at a time.
CREATE TABLE search_part (
    id       INTEGER NOT NULL PRIMARY KEY,
    user_id  TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- message, text, version, chat, file, chat_file
    kind     TEXT NOT NULL,
    -- That were ever added.
    num_docs INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX search_part_user_id ON search_part (user_id, kind, id);

-- What a row of the index is about. It has an id of its own, since VACUUM may change the rowids of other tables.
CREATE TABLE search_doc (
    id        INTEGER NOT NULL PRIMARY KEY,
    -- The message, content, chat, file or chat's file.
    source_id TEXT NOT NULL,
    -- At which character the piece of its text begins; -1: its name.
    start     INTEGER NOT NULL,
    UNIQUE (source_id, start)
);

-- Words, already folded; texts are not kept a second time.
CREATE VIRTUAL TABLE search_index USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '_'"
);

CREATE TRIGGER search_doc_leaves_index AFTER DELETE ON search_doc
BEGIN
    DELETE FROM search_index WHERE rowid = OLD.id;
END;

-- Messages. A running reply is noted when it has ended.
CREATE TRIGGER message_is_searched AFTER INSERT ON chat_conversation
WHEN NEW.type = 'text' AND NEW.status <> 'running'
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT chat.user_id, 'conversation', chat.id, NEW.position - 1
    FROM chat JOIN search_user ON search_user.user_id = chat.user_id
    WHERE chat.id = NEW.chat_id
    ON CONFLICT DO UPDATE SET done = excluded.done WHERE done > excluded.done;
END;

CREATE TRIGGER reply_is_searched AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running'
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT chat.user_id, 'conversation', chat.id, message.position - 1
    FROM chat_conversation AS message JOIN chat ON chat.id = message.chat_id
    JOIN search_user ON search_user.user_id = chat.user_id
    WHERE message.id = NEW.message_id
    ON CONFLICT DO UPDATE SET done = excluded.done WHERE done > excluded.done;
END;

CREATE TRIGGER message_is_searched_no_more AFTER DELETE ON chat_conversation
BEGIN
    DELETE FROM search_doc WHERE source_id = OLD.id;
END;

-- Names.
CREATE TRIGGER chat_is_searched AFTER INSERT ON chat
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'chat', NEW.id, 0 FROM search_user WHERE user_id = NEW.user_id
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

CREATE TRIGGER chat_name_is_searched AFTER UPDATE OF name ON chat
WHEN NEW.name <> OLD.name
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'chat', NEW.id, 0 FROM search_user WHERE user_id = NEW.user_id
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

CREATE TRIGGER chat_is_searched_no_more AFTER DELETE ON chat
BEGIN
    DELETE FROM search_pending
    WHERE user_id = OLD.user_id AND kind IN ('chat', 'conversation') AND source_id = OLD.id;
    DELETE FROM search_doc WHERE source_id = OLD.id;
END;

CREATE TRIGGER file_is_searched AFTER INSERT ON file
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'file', NEW.id, 0 FROM search_user
    WHERE user_id = (SELECT owner_id FROM workspace WHERE id = NEW.workspace_id)
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

CREATE TRIGGER file_name_is_searched AFTER UPDATE OF filename ON file
WHEN NEW.filename <> OLD.filename
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'file', NEW.id, 0 FROM search_user
    WHERE user_id = (SELECT owner_id FROM workspace WHERE id = NEW.workspace_id)
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

-- What is noted of a file that is gone is dropped when it is met: its workspace may have gone before it.
CREATE TRIGGER file_is_searched_no_more AFTER DELETE ON file
BEGIN
    DELETE FROM search_doc WHERE source_id = OLD.id AND start = -1;
END;

-- An attachment has the name of its file.
CREATE TRIGGER chat_file_is_searched AFTER INSERT ON chat_file
WHEN NEW.file_id IS NULL
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT search_user.user_id, 'chat_file', NEW.id, 0
    FROM chat JOIN search_user ON search_user.user_id = chat.user_id
    WHERE chat.id = NEW.chat_id
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

CREATE TRIGGER chat_file_name_is_searched AFTER UPDATE OF filename ON chat_file
WHEN NEW.file_id IS NULL AND NEW.filename <> OLD.filename
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT search_user.user_id, 'chat_file', NEW.id, 0
    FROM chat JOIN search_user ON search_user.user_id = chat.user_id
    WHERE chat.id = NEW.chat_id
    ON CONFLICT DO UPDATE SET done = done + 1;
END;

-- With the texts of its versions. The name of an attachment is that of a file, which may have the same id.
CREATE TRIGGER chat_file_is_searched_no_more AFTER DELETE ON chat_file
BEGIN
    DELETE FROM search_doc WHERE source_id = OLD.id AND (start >= 0 OR OLD.file_id IS NULL);
END;

-- Texts. In open mode a content gets its owner after its text.
CREATE TRIGGER file_text_is_searched AFTER INSERT ON file_text
WHEN NEW.state = 'ready'
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'text', NEW.content_id, 0 FROM search_user
    WHERE user_id = (SELECT owner_id FROM content WHERE id = NEW.content_id)
    ON CONFLICT DO UPDATE SET done = 0 WHERE done > 0;
END;

CREATE TRIGGER file_text_is_searched_when_read AFTER UPDATE OF state ON file_text
WHEN NEW.state = 'ready'
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'text', NEW.content_id, 0 FROM search_user
    WHERE user_id = (SELECT owner_id FROM content WHERE id = NEW.content_id)
    ON CONFLICT DO UPDATE SET done = 0 WHERE done > 0;
END;

CREATE TRIGGER content_is_searched AFTER UPDATE OF owner_id ON content
WHEN NEW.owner_id IS NOT NULL
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT user_id, 'text', NEW.id, 0 FROM search_user
    WHERE user_id = NEW.owner_id
        AND EXISTS (SELECT 1 FROM file_text WHERE content_id = NEW.id AND state = 'ready')
    ON CONFLICT DO UPDATE SET done = 0 WHERE done > 0;
END;

CREATE TRIGGER file_text_is_searched_no_more AFTER DELETE ON file_text
BEGIN
    DELETE FROM search_doc WHERE source_id = OLD.content_id;
END;

CREATE TRIGGER version_is_searched AFTER INSERT ON chat_file_version
BEGIN
    INSERT INTO search_pending (user_id, kind, source_id, done)
    SELECT search_user.user_id, 'version', chat_file.id, 0
    FROM chat_file JOIN chat ON chat.id = chat_file.chat_id JOIN search_user ON search_user.user_id = chat.user_id
    WHERE chat_file.id = NEW.chat_file_id
    ON CONFLICT DO UPDATE SET done = done + 1;
END;
