-- Replies that stream, and what a window needs to catch up with a chat.

-- The chat's rev at the row's last change: what is above a window's rev is new to it.
ALTER TABLE chat_conversation ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
-- The sender's own name for a message: the same one again makes nothing new.
ALTER TABLE chat_conversation ADD COLUMN client_id TEXT;

CREATE INDEX chat_conversation_rev ON chat_conversation (chat_id, rev);
CREATE UNIQUE INDEX chat_conversation_client_id ON chat_conversation (chat_id, client_id) WHERE client_id IS NOT NULL;

ALTER TABLE chat_file ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;

CREATE INDEX chat_file_rev ON chat_file (chat_id, rev);

-- A reply, from its request to the model until its end. Its text is in the message it fills.
CREATE TABLE generation (
    id             TEXT NOT NULL PRIMARY KEY,
    chat_id        TEXT NOT NULL REFERENCES chat (id) ON DELETE CASCADE,
    -- The assistant's message.
    message_id     TEXT NOT NULL REFERENCES chat_conversation (id) ON DELETE CASCADE,
    -- The name of the model that was asked.
    model          TEXT NOT NULL,
    -- running, complete, stopped, interrupted or error.
    status         TEXT NOT NULL,
    -- How many pieces of text the message has got.
    seq            INTEGER NOT NULL DEFAULT 0,
    -- The last of them. Setting it appends it to the message (see the trigger below).
    piece          TEXT,
    -- Milliseconds since 1970. Whoever meets a running generation whose heartbeat is older than ten seconds marks it
    -- interrupted.
    heartbeat      INTEGER NOT NULL,
    stop_requested INTEGER NOT NULL DEFAULT 0,
    -- As the model said it: stop, length, …
    finish_reason  TEXT,
    -- As the model said it, in JSON.
    usage          TEXT,
    -- What went wrong, in words for a person.
    error          TEXT
);

-- A chat has one reply at a time.
CREATE UNIQUE INDEX generation_running ON generation (chat_id) WHERE status = 'running';
CREATE INDEX generation_chat_id ON generation (chat_id);
CREATE INDEX generation_message_id ON generation (message_id);

-- A piece of a reply is stored by one statement, which raises seq, beats the heart, asks whether to stop, and by this
-- appends the text: over a network a transaction would be four round trips, ten times a second.
CREATE TRIGGER generation_appends_piece AFTER UPDATE OF piece ON generation
WHEN NEW.piece IS NOT NULL
BEGIN
    UPDATE chat_conversation SET content = content || NEW.piece WHERE id = NEW.message_id;
END;
