-- Adds what the user ?1 has used of the model ?2 with the name ?4 in the chat ?3: ?6 tokens read and ?7 written, of which ?8
-- were cached and ?9 thought; ?5: whether they are estimated. Nothing where the user is gone.
INSERT INTO usage (user_id, day, model_id, chat_id, model, replies, estimated_replies, tokens_in, tokens_out,
    tokens_cached, tokens_reasoning)
SELECT id, date('now'), ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9 FROM "user" WHERE id = ?1
ON CONFLICT (user_id, day, model_id, chat_id) DO UPDATE SET
    model = excluded.model,
    replies = replies + 1,
    estimated_replies = estimated_replies + excluded.estimated_replies,
    tokens_in = tokens_in + excluded.tokens_in,
    tokens_out = tokens_out + excluded.tokens_out,
    tokens_cached = tokens_cached + excluded.tokens_cached,
    tokens_reasoning = tokens_reasoning + excluded.tokens_reasoning
