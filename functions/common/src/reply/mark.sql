-- Ends the running reply ?1 with the status ?2, the finish reason ?3, the usage ?4 and the error ?5. Its model has read ?6
-- tokens and written ?7; of these ?8 were cached and ?9 thought; ?10: whether they are estimated. NULL: its writer does not
-- end it. Then they are estimated from its texts, four bytes for a token; one without a text took none. No row back: it was
-- not running.
UPDATE generation SET status = ?2, finish_reason = ?3, error = ?5, piece = NULL, thought = NULL,
    usage = iif(?6 IS NULL AND written.tokens > 0, json_object(
        'prompt_tokens', coalesce(tokens_in, 0), 'completion_tokens', written.tokens,
        'total_tokens', coalesce(tokens_in, 0) + written.tokens, 'estimated', json('true')
    ), ?4),
    tokens_in = coalesce(?6, iif(written.tokens > 0, tokens_in, 0), 0),
    tokens_out = coalesce(?7, written.tokens),
    tokens_cached = coalesce(?8, 0),
    tokens_reasoning = coalesce(?9, 0),
    tokens_estimated = coalesce(?10, 1)
FROM (
    SELECT (octet_length(message.content) + octet_length(message.reasoning) + 3) / 4 AS tokens
    FROM generation AS reply JOIN chat_conversation AS message ON message.id = reply.message_id
    WHERE reply.id = ?1
) AS written
WHERE id = ?1 AND status = 'running'
RETURNING usage
