-- What users set about replies, at three levels: for all of their chats, for the chats of a workspace, for one chat. NULL:
-- nothing, so what is set further out holds. Columns and no table of their own, so that one statement changes a chat and
-- its settings; the texts come last, because a row is read only as far as a statement needs it.

ALTER TABLE "user" ADD COLUMN model_id TEXT REFERENCES model (id) ON DELETE SET NULL;
ALTER TABLE "user" ADD COLUMN temperature REAL;
ALTER TABLE "user" ADD COLUMN top_p REAL;
ALTER TABLE "user" ADD COLUMN max_tokens INTEGER;
-- none, minimal, low, medium, high
ALTER TABLE "user" ADD COLUMN reasoning_effort TEXT;
-- Further fields of requests to models, a JSON object.
ALTER TABLE "user" ADD COLUMN extra TEXT;
ALTER TABLE "user" ADD COLUMN instructions TEXT;

ALTER TABLE workspace ADD COLUMN model_id TEXT REFERENCES model (id) ON DELETE SET NULL;
ALTER TABLE workspace ADD COLUMN temperature REAL;
ALTER TABLE workspace ADD COLUMN top_p REAL;
ALTER TABLE workspace ADD COLUMN max_tokens INTEGER;
ALTER TABLE workspace ADD COLUMN reasoning_effort TEXT;
ALTER TABLE workspace ADD COLUMN extra TEXT;
ALTER TABLE workspace ADD COLUMN instructions TEXT;

-- Whether the chat is to be named after its first reply: 1: it is, 2: its model has been asked for a name, 0: no (more).
ALTER TABLE chat ADD COLUMN auto_title INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chat ADD COLUMN model_id TEXT REFERENCES model (id) ON DELETE SET NULL;
ALTER TABLE chat ADD COLUMN temperature REAL;
ALTER TABLE chat ADD COLUMN top_p REAL;
ALTER TABLE chat ADD COLUMN max_tokens INTEGER;
ALTER TABLE chat ADD COLUMN reasoning_effort TEXT;
ALTER TABLE chat ADD COLUMN extra TEXT;
ALTER TABLE chat ADD COLUMN instructions TEXT;

-- A model that is deleted is nobody's setting any more.
CREATE INDEX user_model_id ON "user" (model_id) WHERE model_id IS NOT NULL;
CREATE INDEX workspace_model_id ON workspace (model_id) WHERE model_id IS NOT NULL;
CREATE INDEX chat_model_id ON chat (model_id) WHERE model_id IS NOT NULL;

-- A name that a person gives is kept, whichever statement gives it, also one of a program that began before this.
CREATE TRIGGER chat_is_named AFTER UPDATE OF name ON chat
WHEN NEW.name <> OLD.name AND NEW.auto_title <> 0
BEGIN
    UPDATE chat SET auto_title = 0 WHERE id = NEW.id;
END;
