-- What operators need: users who may not log in, a quota of one user, and a record of what was done.

-- Milliseconds since 1970 at which the operator disabled the user; NULL: the user may log in.
ALTER TABLE "user" ADD COLUMN disabled_at INTEGER;
-- In bytes; NULL: the variable storage_quota_bytes.
ALTER TABLE "user" ADD COLUMN quota_bytes INTEGER;
-- Milliseconds since 1970; NULL: there was no login with a session since this column was made.
ALTER TABLE "user" ADD COLUMN last_login_at INTEGER;

-- What was done, by whom and from where; nothing of what is stored. It stays when the user is deleted, so there is no
-- foreign key, and no e-mail.
CREATE TABLE audit (
    id      INTEGER NOT NULL PRIMARY KEY,
    -- Milliseconds since 1970.
    at      INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),
    -- login, login_failed, chat_deleted, file_deleted, workspace_deleted, user_deleted, key_set, user_disabled,
    -- user_enabled, user_logged_out, quota_set
    action  TEXT NOT NULL,
    -- user, operator, or unknown (of a failed login)
    actor   TEXT NOT NULL,
    -- Whose account it is about; NULL: a failed login with an e-mail that no user has.
    user_id TEXT,
    -- The id of what was deleted or changed, or the new quota.
    object  TEXT,
    -- The address that the request came from, as far as it is known.
    address TEXT
);

CREATE INDEX audit_user_id ON audit (user_id);
CREATE INDEX audit_failures ON audit (id) WHERE action = 'login_failed';

-- Entries are kept for 180 days. Of failed logins, which any client can cause, only the newest 10,000: they push out no
-- other entries.
CREATE TRIGGER audit_sweeps AFTER INSERT ON audit
BEGIN
    DELETE FROM audit WHERE at < NEW.at - 15552000000 AND id IN (SELECT id FROM audit ORDER BY id LIMIT 10);
    DELETE FROM audit WHERE NEW.action = 'login_failed' AND id IN (
        SELECT id FROM audit WHERE action = 'login_failed' ORDER BY id DESC LIMIT 2 OFFSET 10000
    );
END;

-- The address that the session was opened from.
ALTER TABLE session ADD COLUMN address TEXT;

CREATE TRIGGER session_is_audited AFTER INSERT ON session
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('login', 'user', NEW.user_id, NEW.id, NEW.address);
    UPDATE "user" SET last_login_at = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) WHERE id = NEW.user_id;
END;

-- A trigger does not know where a request came from, and a statement deletes from one table only. So a request that
-- deletes sets `deleted_from`, and the trigger records and deletes the row: one statement, as before. What is deleted
-- with something else is deleted without it, and not recorded.
ALTER TABLE "user" ADD COLUMN deleted_from TEXT;
ALTER TABLE workspace ADD COLUMN deleted_from TEXT;
ALTER TABLE file ADD COLUMN deleted_from TEXT;
ALTER TABLE chat ADD COLUMN deleted_from TEXT;
ALTER TABLE chat_file ADD COLUMN deleted_from TEXT;

CREATE TRIGGER user_is_deleted AFTER UPDATE OF deleted_from ON "user"
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('user_deleted', 'user', NEW.id, NEW.id, NEW.deleted_from);
    DELETE FROM "user" WHERE id = NEW.id;
END;

CREATE TRIGGER workspace_is_deleted AFTER UPDATE OF deleted_from ON workspace
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('workspace_deleted', 'user', NEW.owner_id, NEW.id, NEW.deleted_from);
    DELETE FROM workspace WHERE id = NEW.id;
END;

CREATE TRIGGER file_is_deleted AFTER UPDATE OF deleted_from ON file
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    SELECT 'file_deleted', 'user', owner_id, NEW.id, NEW.deleted_from FROM workspace WHERE id = NEW.workspace_id;
    DELETE FROM file WHERE id = NEW.id;
END;

CREATE TRIGGER chat_is_deleted AFTER UPDATE OF deleted_from ON chat
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('chat_deleted', 'user', NEW.user_id, NEW.id, NEW.deleted_from);
    DELETE FROM chat WHERE id = NEW.id;
END;

CREATE TRIGGER chat_file_is_deleted AFTER UPDATE OF deleted_from ON chat_file
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    SELECT 'file_deleted', 'user', user_id, NEW.id, NEW.deleted_from FROM chat WHERE id = NEW.chat_id;
    DELETE FROM chat_file WHERE id = NEW.id;
END;

-- The address that the API key was set from. Sealing it again leaves this column alone.
ALTER TABLE model ADD COLUMN key_set_from TEXT;

CREATE TRIGGER model_key_is_audited AFTER INSERT ON model
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('key_set', 'user', NEW.user_id, NEW.id, NEW.key_set_from);
END;

CREATE TRIGGER model_key_change_is_audited AFTER UPDATE OF key_set_from ON model
WHEN NEW.ak <> OLD.ak
BEGIN
    INSERT INTO audit (action, actor, user_id, object, address)
    VALUES ('key_set', 'user', NEW.user_id, NEW.id, NEW.key_set_from);
END;
