-- The feed of a user: what has changed of all that is theirs, for clients that follow it (docs/decisions.md#feeds). Triggers
-- write it, so that each change has its entry in its own transaction, whichever statement makes it.

CREATE TABLE feed (
    -- In the order of the changes, of all users together.
    id         INTEGER NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- 1, 2, 3 … of this user.
    rev        INTEGER NOT NULL,
    -- Milliseconds since 1970.
    noted_at   INTEGER NOT NULL,
    -- The action of the event: chat_created, chat_changed …
    kind       TEXT NOT NULL,
    -- The chat, file, model, workspace or user; of a reply its chat.
    subject_id TEXT NOT NULL,
    -- Of a reply.
    reply_id   TEXT,
    -- Of an entry about a chat, the chat's rev.
    chat_rev   INTEGER,
    -- What has changed: words with spaces between them.
    changed    TEXT,
    UNIQUE (user_id, rev)
);

-- What is inserted here becomes the next entry of the user, if there is this user still.
CREATE VIEW feed_news AS SELECT user_id, kind, subject_id, reply_id, chat_rev, changed FROM feed;

CREATE TRIGGER feed_grows INSTEAD OF INSERT ON feed_news
BEGIN
    INSERT INTO feed (user_id, rev, noted_at, kind, subject_id, reply_id, chat_rev, changed)
    SELECT id, coalesce((SELECT max(rev) FROM feed WHERE user_id = NEW.user_id), 0) + 1,
        CAST(1000 * unixepoch('subsec') AS INTEGER), NEW.kind, NEW.subject_id, NEW.reply_id, NEW.chat_rev, NEW.changed
    FROM "user" WHERE id = NEW.user_id;
END;

-- The newest thousand are kept, and up to a hundred more.
CREATE TRIGGER feed_forgets AFTER INSERT ON feed
WHEN NEW.rev % 100 = 0
BEGIN
    DELETE FROM feed WHERE user_id = NEW.user_id AND rev <= NEW.rev - 1000;
END;

CREATE TRIGGER chat_is_news AFTER INSERT ON chat
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, chat_rev) VALUES (NEW.user_id, 'chat_created', NEW.id, NEW.rev);
END;

-- One entry for each change of the chat. The end of a reply raises the chat's rev, too, after its own entry.
CREATE TRIGGER chat_change_is_news AFTER UPDATE OF name, workspace_id, is_pinned, is_archived, rev ON chat
WHEN (NEW.name, NEW.workspace_id, NEW.is_pinned, NEW.is_archived)
        <> (OLD.name, OLD.workspace_id, OLD.is_pinned, OLD.is_archived)
    OR NEW.rev <> OLD.rev AND NOT EXISTS (
        SELECT 1 FROM feed
        WHERE user_id = NEW.user_id AND rev = (SELECT max(rev) FROM feed WHERE user_id = NEW.user_id)
            AND kind = 'generation_ended' AND subject_id = NEW.id AND chat_rev = OLD.rev
    )
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, chat_rev, changed)
    VALUES (NEW.user_id, 'chat_changed', NEW.id, NEW.rev, coalesce(nullif(trim(
        iif(NEW.name <> OLD.name, 'name ', '')
        || iif(NEW.workspace_id <> OLD.workspace_id, 'workspace_id ', '')
        || iif(NEW.is_pinned <> OLD.is_pinned, 'is_pinned ', '')
        || iif(NEW.is_archived <> OLD.is_archived, 'is_archived ', '')
        || iif(NEW.rev <> OLD.rev AND (
            NEW.model_id, NEW.temperature, NEW.top_p, NEW.max_tokens, NEW.reasoning_effort, NEW.extra, NEW.instructions
        ) IS NOT (
            OLD.model_id, OLD.temperature, OLD.top_p, OLD.max_tokens, OLD.reasoning_effort, OLD.extra, OLD.instructions
        ), 'settings ', '')
    ), ''), 'content'));
END;

CREATE TRIGGER chat_end_is_news AFTER DELETE ON chat
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (OLD.user_id, 'chat_deleted', OLD.id);
END;

-- What begins a reply has raised the chat's rev just before, in the same transaction: that entry becomes this one.
CREATE TRIGGER generation_is_news AFTER INSERT ON generation
WHEN NEW.status = 'running'
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, reply_id, chat_rev)
    SELECT chat.user_id, 'generation_started', chat.id, NEW.id, chat.rev FROM chat
    WHERE chat.id = NEW.chat_id AND NOT EXISTS (
        SELECT 1 FROM feed
        WHERE user_id = chat.user_id AND rev = (SELECT max(rev) FROM feed WHERE user_id = chat.user_id)
            AND kind = 'chat_changed' AND changed = 'content' AND subject_id = chat.id AND chat_rev = chat.rev
    );
    UPDATE feed SET kind = 'generation_started', changed = NULL, reply_id = NEW.id
    WHERE user_id = (SELECT user_id FROM chat WHERE id = NEW.chat_id)
        AND rev = (SELECT max(rev) FROM feed WHERE user_id = (SELECT user_id FROM chat WHERE id = NEW.chat_id))
        AND kind = 'chat_changed' AND changed = 'content' AND subject_id = NEW.chat_id
        AND chat_rev = (SELECT rev FROM chat WHERE id = NEW.chat_id);
END;

CREATE TRIGGER generation_end_is_news AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running'
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, reply_id, chat_rev)
    SELECT user_id, 'generation_ended', id, NEW.id, rev FROM chat WHERE id = NEW.chat_id;
END;

-- Where files go with their workspace, that is the news.
CREATE TRIGGER file_is_news AFTER INSERT ON file
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id)
    SELECT owner_id, 'file_created', NEW.id FROM workspace WHERE id = NEW.workspace_id;
END;

CREATE TRIGGER file_change_is_news AFTER UPDATE OF filename, workspace_id ON file
WHEN NEW.filename <> OLD.filename OR NEW.workspace_id <> OLD.workspace_id
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, changed)
    SELECT owner_id, 'file_changed', NEW.id, trim(
        iif(NEW.filename <> OLD.filename, 'filename ', '') || iif(NEW.workspace_id <> OLD.workspace_id, 'workspace_id', '')
    )
    FROM workspace WHERE id = NEW.workspace_id;
END;

CREATE TRIGGER file_text_is_news AFTER UPDATE OF state ON file_text
WHEN OLD.state = 'pending' AND NEW.state <> 'pending'
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, changed)
    SELECT workspace.owner_id, 'file_changed', file.id, 'text_state'
    FROM file JOIN workspace ON workspace.id = file.workspace_id
    WHERE file.content_id = NEW.content_id;
END;

CREATE TRIGGER file_end_is_news AFTER DELETE ON file
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id)
    SELECT owner_id, 'file_deleted', OLD.id FROM workspace WHERE id = OLD.workspace_id;
END;

CREATE TRIGGER model_is_news AFTER INSERT ON model
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (NEW.user_id, 'model_created', NEW.id);
END;

CREATE TRIGGER model_change_is_news AFTER UPDATE OF name, base_url, context_chars, timeout_seconds, header_names, query, key_header ON model
WHEN (NEW.name, NEW.base_url, NEW.context_chars, NEW.timeout_seconds, NEW.header_names, NEW.query, NEW.key_header)
    IS NOT (OLD.name, OLD.base_url, OLD.context_chars, OLD.timeout_seconds, OLD.header_names, OLD.query, OLD.key_header)
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (NEW.user_id, 'model_changed', NEW.id);
END;

CREATE TRIGGER model_end_is_news AFTER DELETE ON model
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (OLD.user_id, 'model_deleted', OLD.id);
END;

CREATE TRIGGER workspace_is_news AFTER INSERT ON workspace
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (NEW.owner_id, 'workspace_created', NEW.id);
END;

CREATE TRIGGER workspace_change_is_news AFTER UPDATE OF name, model_id, temperature, top_p, max_tokens, reasoning_effort, extra, instructions ON workspace
WHEN (NEW.name, NEW.model_id, NEW.temperature, NEW.top_p, NEW.max_tokens, NEW.reasoning_effort, NEW.extra, NEW.instructions)
    IS NOT (OLD.name, OLD.model_id, OLD.temperature, OLD.top_p, OLD.max_tokens, OLD.reasoning_effort, OLD.extra, OLD.instructions)
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id, changed)
    VALUES (NEW.owner_id, 'workspace_changed', NEW.id, trim(
        iif(NEW.name <> OLD.name, 'name ', '')
        || iif((NEW.model_id, NEW.temperature, NEW.top_p, NEW.max_tokens, NEW.reasoning_effort, NEW.extra, NEW.instructions)
            IS NOT (OLD.model_id, OLD.temperature, OLD.top_p, OLD.max_tokens, OLD.reasoning_effort, OLD.extra, OLD.instructions),
            'settings', '')
    ));
END;

CREATE TRIGGER workspace_end_is_news AFTER DELETE ON workspace
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (OLD.owner_id, 'workspace_deleted', OLD.id);
END;

CREATE TRIGGER user_settings_are_news AFTER UPDATE OF model_id, temperature, top_p, max_tokens, reasoning_effort, extra, instructions ON "user"
WHEN (NEW.model_id, NEW.temperature, NEW.top_p, NEW.max_tokens, NEW.reasoning_effort, NEW.extra, NEW.instructions)
    IS NOT (OLD.model_id, OLD.temperature, OLD.top_p, OLD.max_tokens, OLD.reasoning_effort, OLD.extra, OLD.instructions)
BEGIN
    INSERT INTO feed_news (user_id, kind, subject_id) VALUES (NEW.id, 'user_settings_changed', NEW.id);
END;
