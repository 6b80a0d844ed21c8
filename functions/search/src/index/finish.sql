-- Of the list ?3 of ids, what is done of the user ?1 and the kind ?2 is to be indexed no more. A chat is not done while it
-- has messages behind the place where it is, but for a reply that is still being written and what follows that: its end
-- notes it again.
DELETE FROM search_pending
WHERE user_id = ?1 AND kind = ?2 AND source_id IN (SELECT value FROM json_each(?3))
    AND NOT (kind = 'conversation' AND EXISTS (
        SELECT 1 FROM chat_conversation AS message
        WHERE chat_id = source_id AND position > done AND type = 'text' AND position < coalesce((
            SELECT of_reply.position FROM generation AS reply
            JOIN chat_conversation AS of_reply ON of_reply.id = reply.message_id
            WHERE reply.chat_id = source_id AND reply.status = 'running'
        ), 9223372036854775807)
    ))
