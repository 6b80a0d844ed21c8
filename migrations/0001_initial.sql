-- The eight tables of the original backend, under their names in snake case, plus what streaming, versions and
-- uploads need of the schema.
--
-- Ids are opaque text and made by the program (UUID v7); every list is in insertion order, which is rowid order, so
-- no table is WITHOUT ROWID. Every foreign key is indexed: a cascade looks up the children of each deleted row, and
-- without an index that is a scan of the table.

-- What a file holds, apart from what it is called: several files, of several chats, can share one content. It is
-- written before anything refers to it, in many short statements, because no transaction may wait for a client.
CREATE TABLE content (
    id         TEXT NOT NULL PRIMARY KEY,
    -- In bytes; 0 until the last byte has come.
    size       INTEGER NOT NULL,
    -- As declared by whoever uploaded it, so nothing to be trusted when it is served.
    media_type TEXT,
    -- Milliseconds since 1970 at which staging began; NULL once a file refers to this content. What is still staged
    -- an hour later was abandoned and is swept.
    staged_at  INTEGER
);

-- Holds only uploads in progress and abandoned ones, so a sweep costs nothing when there are none.
CREATE INDEX content_staged_at ON content (staged_at) WHERE staged_at IS NOT NULL;

-- Chunks are 256 KiB each but the last, so that a range of bytes is found by arithmetic.
CREATE TABLE content_chunk (
    content_id TEXT NOT NULL REFERENCES content (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (content_id, seq)
);

CREATE TABLE "user" (
    id    TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE
);

CREATE TABLE workspace (
    id       TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL,
    owner_id TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX workspace_owner_id ON workspace (owner_id);

CREATE TABLE file (
    id           TEXT NOT NULL PRIMARY KEY,
    filename     TEXT NOT NULL,
    -- The original's place on disk, 'uploads/files/<id>_<filename>'; now only a name that clients know.
    path         TEXT NOT NULL,
    workspace_id TEXT NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    -- Does not cascade: content goes with its last file (see the triggers below), never a file with its content.
    content_id   TEXT NOT NULL REFERENCES content (id)
);

CREATE INDEX file_workspace_id ON file (workspace_id);
CREATE INDEX file_content_id ON file (content_id);

CREATE TABLE chat (
    id           TEXT NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    last_updated TEXT,
    user_id      TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    workspace_id TEXT NOT NULL REFERENCES workspace (id) ON DELETE CASCADE,
    -- Raised by every statement that changes the chat, so that a window knows when it has missed something.
    rev          INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX chat_user_id ON chat (user_id);
CREATE INDEX chat_workspace_id ON chat (workspace_id);

-- A message.
CREATE TABLE chat_conversation (
    id         TEXT NOT NULL PRIMARY KEY,
    chat_id    TEXT NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    type       TEXT NOT NULL,
    content    TEXT NOT NULL,
    -- The message this one follows; editing and regenerating make siblings. It does not cascade: a chat of 10,000
    -- messages is a chain of 10,000 parents, and a cascade deeper than 1,000 is an error in SQLite.
    parent_id  TEXT REFERENCES chat_conversation (id) ON DELETE SET NULL,
    -- The order within the chat.
    position   INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    status     TEXT NOT NULL DEFAULT 'complete',
    -- The name of the model that wrote it; NULL for a person's message.
    model      TEXT,
    UNIQUE (chat_id, position)
);

CREATE INDEX chat_conversation_parent_id ON chat_conversation (parent_id);

CREATE TABLE chat_file (
    id         TEXT NOT NULL PRIMARY KEY,
    filename   TEXT NOT NULL,
    path       TEXT NOT NULL,
    chat_id    TEXT NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
    -- The file of the workspace that was attached, and its content when it was; both NULL for a file that was made
    -- in the chat. Clients know a file by either id, and the first attachment has the file's own.
    file_id    TEXT REFERENCES file (id) ON DELETE CASCADE,
    content_id TEXT REFERENCES content (id)
);

CREATE INDEX chat_file_chat_id ON chat_file (chat_id);
-- A file is attached to a chat once.
CREATE UNIQUE INDEX chat_file_file_id ON chat_file (file_id, chat_id);
CREATE INDEX chat_file_content_id ON chat_file (content_id);

CREATE TABLE chat_file_version (
    id           TEXT NOT NULL PRIMARY KEY,
    chat_file_id TEXT NOT NULL REFERENCES chat_file (id) ON DELETE CASCADE,
    timestamp    TEXT NOT NULL,
    content      TEXT NOT NULL
);

CREATE INDEX chat_file_version_chat_file_id ON chat_file_version (chat_file_id);

CREATE TABLE model (
    id       TEXT NOT NULL PRIMARY KEY,
    name     TEXT NOT NULL,
    -- The API key, sealed; never in a response.
    ak       TEXT NOT NULL,
    base_url TEXT NOT NULL,
    user_id  TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE
);

CREATE INDEX model_user_id ON model (user_id);

-- Content goes with the last file that refers to it. Triggers, because files go in many ways (a workspace, a chat or
-- a user takes them along by cascade), and they see all of them.
CREATE TRIGGER file_frees_content AFTER DELETE ON file
BEGIN
    DELETE FROM content WHERE id = OLD.content_id
        AND NOT EXISTS (SELECT 1 FROM file WHERE content_id = OLD.content_id)
        AND NOT EXISTS (SELECT 1 FROM chat_file WHERE content_id = OLD.content_id);
END;

CREATE TRIGGER chat_file_frees_content AFTER DELETE ON chat_file
WHEN OLD.content_id IS NOT NULL
BEGIN
    DELETE FROM content WHERE id = OLD.content_id
        AND NOT EXISTS (SELECT 1 FROM file WHERE content_id = OLD.content_id)
        AND NOT EXISTS (SELECT 1 FROM chat_file WHERE content_id = OLD.content_id);
END;
