-- Token mode: who somebody is, how often they may ask, and how much they may store. Empty in open mode, but for what is
-- stored.

-- Somebody who has logged in, on one device.
CREATE TABLE session (
    id          TEXT NOT NULL PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- SHA-256 of the token, in base64. Whoever reads the database can't log in with it.
    token_hash  TEXT NOT NULL UNIQUE,
    created_at  TEXT NOT NULL,
    -- When it was last extended: a day's accuracy, so that most requests write nothing.
    extended_at TEXT NOT NULL,
    -- Milliseconds since 1970.
    expires_at  INTEGER NOT NULL,
    -- As the browser names itself, for the list of sessions.
    user_agent  TEXT
);

CREATE INDEX session_user_id ON session (user_id);
CREATE INDEX session_expires_at ON session (expires_at);

-- Opens one socket, once.
CREATE TABLE ws_ticket (
    ticket_hash TEXT NOT NULL PRIMARY KEY,
    session_id  TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    expires_at  INTEGER NOT NULL
);

CREATE INDEX ws_ticket_session_id ON ws_ticket (session_id);
CREATE INDEX ws_ticket_expires_at ON ws_ticket (expires_at);

-- The codes that were sent to an address. Not of a user: who logs in for the first time has none yet.
CREATE TABLE login_code (
    email      TEXT NOT NULL,
    code_hash  TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (email, code_hash)
);

CREATE INDEX login_code_expires_at ON login_code (expires_at);

-- The public keys of the identity provider, so that an instance that has just begun need not fetch them.
CREATE TABLE identity_provider (
    issuer     TEXT NOT NULL PRIMARY KEY,
    keys       TEXT NOT NULL,
    fetched_at INTEGER NOT NULL
);

-- How much of a limit is used up (the generic cell rate algorithm): one row per limit and whom it is for.
CREATE TABLE rate_limit (
    key     TEXT NOT NULL PRIMARY KEY,
    -- Milliseconds since 1970 at which nothing of it is used up any more.
    free_at INTEGER NOT NULL,
    -- By how much a request moves that, in milliseconds.
    step    INTEGER NOT NULL,
    -- As long as all of it may be used up for, in milliseconds.
    period  INTEGER NOT NULL,
    -- Whether the last request was refused.
    refused INTEGER NOT NULL
);

CREATE INDEX rate_limit_free_at ON rate_limit (free_at);

-- What has expired goes when the next of its kind comes: of each, how long it is good is known (30 days, a minute, ten
-- minutes), and of a limit nothing is used up after a day.
CREATE TRIGGER session_sweeps AFTER INSERT ON session
BEGIN
    DELETE FROM session WHERE expires_at < NEW.expires_at - 2592000000;
    -- Nobody has a hundred devices: the list of somebody's sessions stays short.
    DELETE FROM session WHERE id IN (
        SELECT id FROM session WHERE user_id = NEW.user_id ORDER BY rowid DESC LIMIT -1 OFFSET 100
    );
END;

CREATE TRIGGER ws_ticket_sweeps AFTER INSERT ON ws_ticket
BEGIN
    DELETE FROM ws_ticket WHERE expires_at < NEW.expires_at - 60000;
END;

CREATE TRIGGER login_code_sweeps AFTER INSERT ON login_code
BEGIN
    DELETE FROM login_code WHERE expires_at < NEW.expires_at - 600000;
    -- Each makes guessing easier; but a stranger at one address must not be able to push the person's out.
    DELETE FROM login_code WHERE rowid IN (
        SELECT rowid FROM login_code WHERE email = NEW.email ORDER BY rowid DESC LIMIT -1 OFFSET 12
    );
END;

CREATE TRIGGER rate_limit_sweeps AFTER INSERT ON rate_limit
BEGIN
    DELETE FROM rate_limit WHERE free_at < NEW.free_at - 86400000 * 2;
END;

-- Bytes of files and versions. Whose they are is kept with them, because of what goes by a cascade the owner can't be
-- looked up any more. Texts of messages are not counted.
ALTER TABLE "user" ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE content ADD COLUMN owner_id TEXT;
ALTER TABLE chat_file_version ADD COLUMN owner_id TEXT;

CREATE TRIGGER content_gets_owner AFTER INSERT ON file
BEGIN
    UPDATE content SET owner_id = (SELECT owner_id FROM workspace WHERE id = NEW.workspace_id)
    WHERE id = NEW.content_id AND owner_id IS NULL;
END;

CREATE TRIGGER content_is_counted AFTER UPDATE OF owner_id ON content
WHEN OLD.owner_id IS NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes + NEW.size WHERE id = NEW.owner_id;
END;

CREATE TRIGGER content_is_counted_off AFTER DELETE ON content
WHEN OLD.owner_id IS NOT NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes - OLD.size WHERE id = OLD.owner_id;
END;

-- Versions come with their owner: to give it to them afterwards would write long texts twice.
CREATE TRIGGER version_is_counted AFTER INSERT ON chat_file_version
WHEN NEW.owner_id IS NOT NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes + octet_length(NEW.content) WHERE id = NEW.owner_id;
END;

CREATE TRIGGER version_is_counted_off AFTER DELETE ON chat_file_version
WHEN OLD.owner_id IS NOT NULL
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes - octet_length(OLD.content) WHERE id = OLD.owner_id;
END;

-- What is stored already. Not versions: to give them their owners would write every text again, which may take longer
-- than a transaction may. They are nobody's, and not counted.
UPDATE content SET owner_id = (
    SELECT workspace.owner_id FROM file JOIN workspace ON workspace.id = file.workspace_id
    WHERE file.content_id = content.id
);
