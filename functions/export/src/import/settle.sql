-- Ends the import of the chat ?1: its head is the message ?2 if it has that, its rev is ?3, it was active at ?4 last (in
-- milliseconds since 1970), and has ?5 bytes of reasoning and settings.
UPDATE chat SET
    head_id = coalesce((SELECT id FROM chat_conversation WHERE id = ?2 AND chat_id = ?1), head_id),
    rev = ?3, active_at = ?4, message_bytes = message_bytes + ?5
WHERE id = ?1
