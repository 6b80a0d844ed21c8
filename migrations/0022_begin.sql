-- As before, and a message that a model is to fill brings the chat's rev along: a reply begins with one statement less. All
-- other messages come after a statement that raises it.
DROP TRIGGER chat_conversation_is_head;

CREATE TRIGGER chat_conversation_is_head AFTER INSERT ON chat_conversation
BEGIN
    UPDATE chat_conversation SET selected = NEW.rev WHERE rowid = NEW.rowid AND selected <> NEW.rev;
    UPDATE chat SET head_id = NEW.id, message_bytes = message_bytes + octet_length(NEW.content),
        active_at = max(active_at, CAST(1000 * unixepoch('subsec') AS INTEGER)),
        rev = iif(NEW.status = 'running', max(rev, NEW.rev), rev),
        last_updated = iif(NEW.status = 'running', NEW.created_at, last_updated)
    WHERE id = NEW.chat_id;
END;
