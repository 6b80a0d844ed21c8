-- Lists of chats as a side bar needs them: the latest activity first.

-- Milliseconds since 1970 at which something happened in the chat: a message, a reply that ended, a file or a version.
ALTER TABLE chat ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0;

UPDATE chat SET active_at = CAST(1000 * coalesce(
    (SELECT unixepoch(created_at, 'subsec') FROM chat_conversation WHERE chat_id = chat.id ORDER BY position DESC LIMIT 1),
    unixepoch(last_updated, 'subsec'),
    0
) AS INTEGER);

-- What lists are asked for: all chats of a user, those of a workspace, and those that are pinned.
CREATE INDEX chat_active ON chat (user_id, is_archived, active_at);
CREATE INDEX chat_active_in_workspace ON chat (workspace_id, is_archived, active_at);
CREATE INDEX chat_pinned ON chat (user_id, is_archived, active_at) WHERE is_pinned = 1;

-- As before, and each is activity. A clock that is set back moves no chat down.
DROP TRIGGER chat_conversation_is_head;

CREATE TRIGGER chat_conversation_is_head AFTER INSERT ON chat_conversation
BEGIN
    UPDATE chat_conversation SET selected = NEW.rev WHERE rowid = NEW.rowid AND selected <> NEW.rev;
    UPDATE chat SET head_id = NEW.id, message_bytes = message_bytes + octet_length(NEW.content),
        active_at = max(active_at, CAST(1000 * unixepoch('subsec') AS INTEGER))
    WHERE id = NEW.chat_id;
END;

DROP TRIGGER generation_is_counted;

CREATE TRIGGER generation_is_counted AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running'
BEGIN
    UPDATE chat SET message_bytes = message_bytes - 262144
        + coalesce((
            SELECT octet_length(content) + octet_length(reasoning) FROM chat_conversation WHERE id = NEW.message_id
        ), 0),
        active_at = max(active_at, CAST(1000 * unixepoch('subsec') AS INTEGER))
    WHERE id = NEW.chat_id;
END;

DROP TRIGGER chat_file_is_counted;

CREATE TRIGGER chat_file_is_counted AFTER INSERT ON chat_file
BEGIN
    UPDATE chat SET num_files = num_files + 1, active_at = max(active_at, CAST(1000 * unixepoch('subsec') AS INTEGER))
    WHERE id = NEW.chat_id;
END;

DROP TRIGGER chat_file_version_is_numbered;

CREATE TRIGGER chat_file_version_is_numbered AFTER INSERT ON chat_file_version
BEGIN
    UPDATE chat_file SET num_versions = num_versions + 1 WHERE id = NEW.chat_file_id;
    UPDATE chat SET num_versions = num_versions + 1,
        active_at = max(active_at, CAST(1000 * unixepoch('subsec') AS INTEGER))
    WHERE id = (SELECT chat_id FROM chat_file WHERE id = NEW.chat_file_id);
END;

CREATE TRIGGER chat_moves AFTER UPDATE OF workspace_id ON chat
WHEN NEW.workspace_id <> OLD.workspace_id
BEGIN
    UPDATE workspace SET num_chats = num_chats - 1 WHERE id = OLD.workspace_id;
    UPDATE workspace SET num_chats = num_chats + 1 WHERE id = NEW.workspace_id;
END;

-- A chat that has moved keeps its files when the workspace goes that they are in: they move, too.
CREATE TRIGGER workspace_leaves_files BEFORE DELETE ON workspace
BEGIN
    UPDATE file SET workspace_id = (
        SELECT chat.workspace_id FROM chat_file JOIN chat ON chat.id = chat_file.chat_id
        WHERE chat_file.file_id = file.id AND chat.workspace_id <> OLD.id LIMIT 1
    )
    WHERE workspace_id = OLD.id AND EXISTS (
        SELECT 1 FROM chat_file JOIN chat ON chat.id = chat_file.chat_id
        WHERE chat_file.file_id = file.id AND chat.workspace_id <> OLD.id
    );
END;

CREATE TRIGGER file_moves AFTER UPDATE OF workspace_id ON file
WHEN NEW.workspace_id <> OLD.workspace_id
BEGIN
    UPDATE workspace SET num_files = num_files - 1 WHERE id = OLD.workspace_id;
    UPDATE workspace SET num_files = num_files + 1 WHERE id = NEW.workspace_id;
END;

-- A chat with its last text: that of the branch that clients see. A reply that has none yet follows a prompt.
CREATE VIEW listed_chat AS
SELECT chat.rowid AS place, chat.id AS id, chat.name AS name, chat.user_id AS user_id,
    chat.workspace_id AS workspace_id, chat.active_at AS active_at, chat.is_pinned AS is_pinned,
    chat.is_archived AS is_archived,
    substr(coalesce(
        (SELECT nullif(content, '') FROM chat_conversation WHERE id = chat.head_id AND type = 'text'),
        (
            SELECT before.content FROM chat_conversation AS last JOIN chat_conversation AS before ON before.id = last.parent_id
            WHERE last.id = chat.head_id AND before.type = 'text'
        ),
        ''
    ), 1, 200) AS preview
FROM chat;
