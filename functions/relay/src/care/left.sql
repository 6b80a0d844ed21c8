-- After messages of the chat ?1 were deleted that had ?2 bytes of texts: ?3 are left, and the active branch ends with ?4.
-- Texts from before the sums were kept are in none.
UPDATE chat SET rev = rev + 1, deleted_rev = rev + 1, last_updated = ?5, head_id = ?4,
    message_bytes = max(0, message_bytes - ?2),
    num_gaps = coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = ?1), 0) - ?3
WHERE id = ?1
RETURNING rev
