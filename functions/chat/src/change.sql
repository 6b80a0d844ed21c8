-- Changes the chat ?1 of the caller ?2 (NULL: any caller who knows the id): the name to ?3 at ?4, the workspace to ?5, which must
-- be its owner's, whether it is pinned to ?6 and archived to ?7; what is NULL stays. No row back: no such chat or workspace.
UPDATE chat SET
    name = coalesce(?3, name),
    last_updated = CASE WHEN ?3 IS NULL THEN last_updated ELSE ?4 END,
    rev = rev + (?3 IS NOT NULL),
    workspace_id = coalesce(?5, workspace_id),
    is_pinned = coalesce(?6, is_pinned),
    is_archived = coalesce(?7, is_archived)
WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
    AND (?5 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = ?5 AND owner_id = chat.user_id))
RETURNING rev
