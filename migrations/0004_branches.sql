-- The conversation as a tree, of which clients see one branch at a time: from its first message down to the chat's head.

-- The message that the active branch ends with; NULL: there are none. No foreign key: a message goes only together with
-- its chat.
ALTER TABLE chat ADD COLUMN head_id TEXT;

-- Of messages that follow the same one, the one with the highest goes on the branch that comes down from there. The
-- chat's rev at which the message was added, or a branch with it was chosen.
ALTER TABLE chat_conversation ADD COLUMN selected INTEGER NOT NULL DEFAULT 0;

UPDATE chat SET head_id = (
    SELECT id FROM chat_conversation WHERE chat_id = chat.id ORDER BY position DESC LIMIT 1
);

-- The foreign key's index, and the way down.
DROP INDEX chat_conversation_parent_id;
CREATE INDEX chat_conversation_parent_id ON chat_conversation (parent_id, selected);
CREATE INDEX chat_conversation_root ON chat_conversation (chat_id, selected) WHERE parent_id IS NULL;

-- What is there already: where somebody said something further up, the way down leads to it.
WITH RECURSIVE branch (id) AS (
    SELECT head_id FROM chat WHERE head_id IS NOT NULL
    UNION ALL
    SELECT message.parent_id FROM branch JOIN chat_conversation AS message ON message.id = branch.id
    WHERE message.parent_id IS NOT NULL
)
UPDATE chat_conversation AS message
SET selected = (SELECT rev FROM chat WHERE id = message.chat_id)
WHERE id IN (SELECT id FROM branch)
    AND (EXISTS (SELECT 1 FROM chat_conversation WHERE parent_id = message.parent_id AND id <> message.id)
        OR message.parent_id IS NULL AND EXISTS (
            SELECT 1 FROM chat_conversation
            WHERE parent_id IS NULL AND chat_id = message.chat_id AND id <> message.id
        ));

-- Whatever is added goes on the branch, and ends it. A trigger, because messages are added in many ways, also by
-- programs that began before these columns were there, and none may forget it. (What says itself that it is selected is
-- not written twice.)
CREATE TRIGGER chat_conversation_is_head AFTER INSERT ON chat_conversation
BEGIN
    UPDATE chat_conversation SET selected = NEW.rev WHERE rowid = NEW.rowid AND selected <> NEW.rev;
    UPDATE chat SET head_id = NEW.id WHERE id = NEW.chat_id;
END;
