-- What somebody has is counted while it changes, so that no request has to count it: all bytes that they store, the
-- texts of messages and unfinished uploads included, and the rows that have a limit. Triggers, because rows come and go
-- in many ways, by cascades and by programs that began before this.
--
-- A cascade deletes the row at the top first. So what is counted is kept in the row above, which takes its sum along:
-- versions in the chat's file, files and texts in the chat, files in the workspace.

ALTER TABLE "user" ADD COLUMN num_workspaces INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN num_chats INTEGER NOT NULL DEFAULT 0;
-- Of workspaces and of chats: an attachment is a row of its own.
ALTER TABLE "user" ADD COLUMN num_files INTEGER NOT NULL DEFAULT 0;

ALTER TABLE workspace ADD COLUMN num_chats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN num_files INTEGER NOT NULL DEFAULT 0;

ALTER TABLE chat ADD COLUMN num_files INTEGER NOT NULL DEFAULT 0;
-- Of all of its files together.
ALTER TABLE chat ADD COLUMN num_versions INTEGER NOT NULL DEFAULT 0;
-- Bytes of the texts of its messages. For a running reply 256 KiB, the most that it can have: its text is counted when
-- it has ended, so that its pieces cost no more than they did.
ALTER TABLE chat ADD COLUMN message_bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE chat_file ADD COLUMN num_versions INTEGER NOT NULL DEFAULT 0;

-- What there is already, as far as indexes know it. Not the texts of messages: to read all of them may take longer than a
-- transaction may. They are not counted.
UPDATE chat_file SET num_versions = (SELECT count(*) FROM chat_file_version WHERE chat_file_id = chat_file.id)
WHERE id IN (SELECT chat_file_id FROM chat_file_version);
UPDATE chat SET
    num_files = (SELECT count(*) FROM chat_file WHERE chat_id = chat.id),
    num_versions = (SELECT sum(num_versions) FROM chat_file WHERE chat_id = chat.id)
WHERE id IN (SELECT chat_id FROM chat_file);
UPDATE workspace SET
    num_chats = (SELECT count(*) FROM chat WHERE workspace_id = workspace.id),
    num_files = (SELECT count(*) FROM file WHERE workspace_id = workspace.id);
UPDATE "user" SET
    num_workspaces = (SELECT count(*) FROM workspace WHERE owner_id = "user".id),
    num_chats = (SELECT count(*) FROM chat WHERE user_id = "user".id),
    num_files = (SELECT coalesce(sum(num_files), 0) FROM workspace WHERE owner_id = "user".id)
        + (SELECT coalesce(sum(num_files), 0) FROM chat WHERE user_id = "user".id);

CREATE TRIGGER workspace_is_counted AFTER INSERT ON workspace
BEGIN
    UPDATE "user" SET num_workspaces = num_workspaces + 1 WHERE id = NEW.owner_id;
END;

CREATE TRIGGER workspace_is_counted_off AFTER DELETE ON workspace
BEGIN
    UPDATE "user" SET num_workspaces = num_workspaces - 1, num_files = num_files - OLD.num_files
    WHERE id = OLD.owner_id;
END;

CREATE TRIGGER workspace_files_are_counted AFTER UPDATE OF num_files ON workspace
BEGIN
    UPDATE "user" SET num_files = num_files + NEW.num_files - OLD.num_files WHERE id = NEW.owner_id;
END;

CREATE TRIGGER file_is_counted AFTER INSERT ON file
BEGIN
    UPDATE workspace SET num_files = num_files + 1 WHERE id = NEW.workspace_id;
END;

CREATE TRIGGER file_is_counted_off AFTER DELETE ON file
BEGIN
    UPDATE workspace SET num_files = num_files - 1 WHERE id = OLD.workspace_id;
END;

CREATE TRIGGER chat_is_counted AFTER INSERT ON chat
BEGIN
    UPDATE workspace SET num_chats = num_chats + 1 WHERE id = NEW.workspace_id;
    UPDATE "user" SET num_chats = num_chats + 1 WHERE id = NEW.user_id;
END;

CREATE TRIGGER chat_is_counted_off AFTER DELETE ON chat
BEGIN
    UPDATE workspace SET num_chats = num_chats - 1 WHERE id = OLD.workspace_id;
    UPDATE "user" SET num_chats = num_chats - 1, num_files = num_files - OLD.num_files,
        stored_bytes = stored_bytes - OLD.message_bytes
    WHERE id = OLD.user_id;
END;

CREATE TRIGGER chat_contents_are_counted AFTER UPDATE OF num_files, message_bytes ON chat
WHEN NEW.num_files <> OLD.num_files OR NEW.message_bytes <> OLD.message_bytes
BEGIN
    UPDATE "user" SET num_files = num_files + NEW.num_files - OLD.num_files,
        stored_bytes = stored_bytes + NEW.message_bytes - OLD.message_bytes
    WHERE id = NEW.user_id;
END;

CREATE TRIGGER chat_file_is_counted AFTER INSERT ON chat_file
BEGIN
    UPDATE chat SET num_files = num_files + 1 WHERE id = NEW.chat_id;
END;

CREATE TRIGGER chat_file_is_counted_off AFTER DELETE ON chat_file
BEGIN
    UPDATE chat SET num_files = num_files - 1, num_versions = num_versions - OLD.num_versions WHERE id = OLD.chat_id;
END;

CREATE TRIGGER chat_file_version_is_numbered AFTER INSERT ON chat_file_version
BEGIN
    UPDATE chat_file SET num_versions = num_versions + 1 WHERE id = NEW.chat_file_id;
    UPDATE chat SET num_versions = num_versions + 1
    WHERE id = (SELECT chat_id FROM chat_file WHERE id = NEW.chat_file_id);
END;

CREATE TRIGGER chat_file_version_is_numbered_off AFTER DELETE ON chat_file_version
BEGIN
    UPDATE chat_file SET num_versions = num_versions - 1 WHERE id = OLD.chat_file_id;
    UPDATE chat SET num_versions = num_versions - 1
    WHERE id = (SELECT chat_id FROM chat_file WHERE id = OLD.chat_file_id);
END;

-- As before, and its text is counted.
DROP TRIGGER chat_conversation_is_head;

CREATE TRIGGER chat_conversation_is_head AFTER INSERT ON chat_conversation
BEGIN
    UPDATE chat_conversation SET selected = NEW.rev WHERE rowid = NEW.rowid AND selected <> NEW.rev;
    UPDATE chat SET head_id = NEW.id, message_bytes = message_bytes + octet_length(NEW.content)
    WHERE id = NEW.chat_id;
END;

CREATE TRIGGER generation_has_room AFTER INSERT ON generation
WHEN NEW.status = 'running'
BEGIN
    UPDATE chat SET message_bytes = message_bytes + 262144 WHERE id = NEW.chat_id;
END;

CREATE TRIGGER generation_is_counted AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running'
BEGIN
    UPDATE chat SET message_bytes = message_bytes - 262144
        + coalesce((SELECT octet_length(content) FROM chat_conversation WHERE id = NEW.message_id), 0)
    WHERE id = NEW.chat_id;
END;

-- With its message, which is deleted alone only of a chat that is being deleted in parts.
CREATE TRIGGER generation_has_room_no_more AFTER DELETE ON generation
WHEN OLD.status = 'running'
BEGIN
    UPDATE chat SET message_bytes = message_bytes - 262144 WHERE id = OLD.chat_id;
END;

-- Those that run now get their room, too.
UPDATE chat SET message_bytes = 262144 WHERE id IN (SELECT chat_id FROM generation WHERE status = 'running');

-- A content that is being taken in is somebody's from its beginning in token mode, and as large as what there is of it.
CREATE TRIGGER content_chunk_is_counted AFTER INSERT ON content_chunk
BEGIN
    UPDATE content SET size = size + octet_length(NEW.bytes) WHERE id = NEW.content_id AND staged_at IS NOT NULL;
END;

CREATE TRIGGER content_growth_is_counted AFTER UPDATE OF size ON content
WHEN OLD.owner_id IS NOT NULL AND NEW.owner_id = OLD.owner_id AND NEW.size <> OLD.size
BEGIN
    UPDATE "user" SET stored_bytes = stored_bytes + NEW.size - OLD.size WHERE id = NEW.owner_id;
END;
