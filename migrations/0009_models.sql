-- What models think, and what has to be known of those that are smaller, slower or stricter than others.

-- Before the text, and kept apart from it: it is in no context and makes no file.
ALTER TABLE chat_conversation ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';

-- The last piece of it, as `piece` is that of the text. A `seq` has one of the two.
ALTER TABLE generation ADD COLUMN thought TEXT;

CREATE TRIGGER generation_appends_thought AFTER UPDATE OF thought ON generation
WHEN NEW.thought IS NOT NULL
BEGIN
    UPDATE chat_conversation SET reasoning = reasoning || NEW.thought WHERE id = NEW.message_id;
END;

-- As before, and the reasoning is counted.
DROP TRIGGER generation_is_counted;

CREATE TRIGGER generation_is_counted AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running'
BEGIN
    UPDATE chat SET message_bytes = message_bytes - 262144
        + coalesce((
            SELECT octet_length(content) + octet_length(reasoning) FROM chat_conversation WHERE id = NEW.message_id
        ), 0)
    WHERE id = NEW.chat_id;
END;

-- What its owner has set; NULL: nothing.
ALTER TABLE model ADD COLUMN context_chars INTEGER;
-- Until the first piece of a reply.
ALTER TABLE model ADD COLUMN timeout_seconds INTEGER;
-- A JSON object, sealed like the key, and the names in it with spaces between them.
ALTER TABLE model ADD COLUMN headers TEXT;
ALTER TABLE model ADD COLUMN header_names TEXT;
ALTER TABLE model ADD COLUMN query TEXT;
ALTER TABLE model ADD COLUMN key_header TEXT;
-- What its refusals have taught, in JSON (`kafka_llm::Learnt`). It holds for one name at one address.
ALTER TABLE model ADD COLUMN learnt TEXT;
