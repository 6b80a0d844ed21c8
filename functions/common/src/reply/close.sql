-- Gives the message of the reply ?1 the status ?2 under the rev ?3.
UPDATE chat_conversation SET status = ?2, rev = ?3
WHERE id = (SELECT message_id FROM generation WHERE id = ?1)
RETURNING id, parent_id, role, type, content, status, model, created_at, reasoning,
    NULL AS finish_reason, NULL AS usage, NULL AS error, rating, note, file_ids
