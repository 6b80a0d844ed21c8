-- How many tokens replies took: summed up as each of them ends, for a budget and for people who look.

-- What the model of a reply read and wrote, as its endpoint counts or, where that is silent, estimated. While the reply
-- runs, `tokens_in` is the estimate for what the model was asked. Cached ones are among those read, those of reasoning among
-- those written.
ALTER TABLE generation ADD COLUMN tokens_in INTEGER;
ALTER TABLE generation ADD COLUMN tokens_out INTEGER;
ALTER TABLE generation ADD COLUMN tokens_cached INTEGER;
ALTER TABLE generation ADD COLUMN tokens_reasoning INTEGER;
ALTER TABLE generation ADD COLUMN tokens_estimated INTEGER;
-- Rows from before have none.
ALTER TABLE generation ADD COLUMN model_id TEXT;

-- The month of the user's last reply, such as 2026-11, and the tokens of that month, read and written.
ALTER TABLE "user" ADD COLUMN usage_month TEXT;
ALTER TABLE "user" ADD COLUMN usage_tokens INTEGER NOT NULL DEFAULT 0;

-- The sums of a day. They stay when the model or the chat is deleted, so these are no foreign keys.
CREATE TABLE usage (
    user_id           TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- In UTC: 2026-11-29.
    day               TEXT NOT NULL,
    -- Empty: not known.
    model_id          TEXT NOT NULL,
    chat_id           TEXT NOT NULL,
    -- The name of the model, as it was when it was asked last.
    model             TEXT NOT NULL,
    replies           INTEGER NOT NULL,
    -- Those of them whose tokens are estimated, all or some.
    estimated_replies INTEGER NOT NULL,
    tokens_in         INTEGER NOT NULL,
    tokens_out        INTEGER NOT NULL,
    tokens_cached     INTEGER NOT NULL,
    tokens_reasoning  INTEGER NOT NULL,
    PRIMARY KEY (user_id, day, model_id, chat_id)
);

CREATE INDEX usage_of_models ON usage (user_id, model_id, day);
CREATE INDEX usage_of_chats ON usage (user_id, chat_id, day);

CREATE TRIGGER usage_begins AFTER INSERT ON usage
BEGIN
    UPDATE "user" SET
        usage_tokens = iif(usage_month = substr(NEW.day, 1, 7), usage_tokens, 0) + NEW.tokens_in + NEW.tokens_out,
        usage_month = substr(NEW.day, 1, 7)
    WHERE id = NEW.user_id AND coalesce(usage_month, '') <= substr(NEW.day, 1, 7);
END;

CREATE TRIGGER usage_grows AFTER UPDATE OF tokens_in, tokens_out ON usage
BEGIN
    UPDATE "user" SET
        usage_tokens = iif(usage_month = substr(NEW.day, 1, 7), usage_tokens, 0)
            + NEW.tokens_in - OLD.tokens_in + NEW.tokens_out - OLD.tokens_out,
        usage_month = substr(NEW.day, 1, 7)
    WHERE id = NEW.user_id AND coalesce(usage_month, '') <= substr(NEW.day, 1, 7);
END;

-- A trigger, because a reply is ended by its writer or by another request.
CREATE TRIGGER generation_is_used AFTER UPDATE OF status ON generation
WHEN OLD.status = 'running' AND NEW.status <> 'running' AND NEW.owner_id IS NOT NULL AND NEW.tokens_in + NEW.tokens_out > 0
BEGIN
    INSERT INTO usage (user_id, day, model_id, chat_id, model, replies, estimated_replies, tokens_in, tokens_out,
        tokens_cached, tokens_reasoning)
    VALUES (NEW.owner_id, date('now'), coalesce(NEW.model_id, ''), NEW.chat_id, NEW.model, 1, NEW.tokens_estimated,
        NEW.tokens_in, NEW.tokens_out, NEW.tokens_cached, NEW.tokens_reasoning)
    ON CONFLICT (user_id, day, model_id, chat_id) DO UPDATE SET
        model = excluded.model,
        replies = replies + 1,
        estimated_replies = estimated_replies + excluded.estimated_replies,
        tokens_in = tokens_in + excluded.tokens_in,
        tokens_out = tokens_out + excluded.tokens_out,
        tokens_cached = tokens_cached + excluded.tokens_cached,
        tokens_reasoning = tokens_reasoning + excluded.tokens_reasoning;
END;
