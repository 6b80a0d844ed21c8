-- What is inserted here is a reply that begins, and the prompt that it answers if that is new: one statement, which may be a
-- transaction of its own. It refuses what is not current: what its sender has looked at is not so any more.
CREATE VIEW beginning AS
SELECT generation.id AS reply_id, generation.chat_id, generation.heartbeat, generation.owner_id, generation.model_id,
    generation.model, answer.id AS answer_id, answer.position, answer.created_at, answer.rev, answer.client_id,
    prompt.id AS prompt_id, prompt.content AS prompt, prompt.parent_id, prompt.file_ids, 1 AS is_new, 1 AS is_current
FROM generation
JOIN chat_conversation AS answer ON answer.id = generation.message_id
JOIN chat_conversation AS prompt ON prompt.id = answer.parent_id;

CREATE TRIGGER reply_begins INSTEAD OF INSERT ON beginning
BEGIN
    SELECT RAISE(ABORT, 'overtaken: the chat has changed') WHERE NOT NEW.is_current;
    INSERT INTO chat_conversation
        (id, chat_id, role, type, content, parent_id, position, created_at, rev, selected, client_id, file_ids)
    SELECT NEW.prompt_id, NEW.chat_id, 'user', 'text', NEW.prompt, NEW.parent_id, NEW.position - 1, NEW.created_at,
        NEW.rev - 1, NEW.rev - 1, NEW.client_id, NEW.file_ids
    WHERE NEW.is_new;
    INSERT INTO chat_conversation
        (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev, selected, client_id)
    VALUES (NEW.answer_id, NEW.chat_id, 'assistant', 'text', '', NEW.prompt_id, NEW.position, NEW.created_at, 'running',
        NEW.model, NEW.rev, NEW.rev, iif(NEW.is_new, NULL, NEW.client_id));
    INSERT INTO generation (id, chat_id, message_id, model, status, heartbeat, owner_id, model_id)
    VALUES (NEW.reply_id, NEW.chat_id, NEW.answer_id, NEW.model, 'running', NEW.heartbeat, NEW.owner_id, NEW.model_id);
END;
