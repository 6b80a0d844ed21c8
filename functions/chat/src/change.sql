-- Changes the chat ?1 of the caller ?2 (NULL: any caller who knows the id): the name to ?3 at ?4, the workspace to ?5, which must
-- be its owner's, whether it is pinned to ?6 and archived to ?7; what is NULL stays. Of the settings those that are bits of
-- ?9 (1, 2, 4, …), to ?10 to ?16; a model must be its owner's, and their texts have room in the quota ?8 (NULL: any). No row
-- back: no such chat, workspace or model, or no room.
UPDATE chat SET
    name = coalesce(?3, name),
    last_updated = CASE WHEN ?3 IS NULL THEN last_updated ELSE ?4 END,
    auto_title = iif(?3 IS NULL, auto_title, 0),
    rev = rev + (?3 IS NOT NULL) + (?9 <> 0),
    workspace_id = coalesce(?5, workspace_id),
    is_pinned = coalesce(?6, is_pinned),
    is_archived = coalesce(?7, is_archived),
    instructions = iif(?9 & 1, ?10, instructions),
    model_id = iif(?9 & 2, ?11, model_id),
    temperature = iif(?9 & 4, ?12, temperature),
    top_p = iif(?9 & 8, ?13, top_p),
    max_tokens = iif(?9 & 16, ?14, max_tokens),
    reasoning_effort = iif(?9 & 32, ?15, reasoning_effort),
    extra = iif(?9 & 64, ?16, extra),
    message_bytes = message_bytes + growth.bytes
FROM (
    SELECT iif(?9 & 1, coalesce(octet_length(?10), 0) - coalesce(octet_length(instructions), 0), 0)
        + iif(?9 & 64, coalesce(octet_length(?16), 0) - coalesce(octet_length(extra), 0), 0) AS bytes
    FROM chat WHERE id = ?1
) AS growth
WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
    AND (?5 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = ?5 AND owner_id = chat.user_id))
    AND (NOT ?9 & 2 OR ?11 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = ?11 AND user_id = chat.user_id))
    AND (?8 IS NULL OR growth.bytes <= 0
        OR (SELECT stored_bytes FROM "user" WHERE id = chat.user_id) + growth.bytes <= ?8)
RETURNING rev
