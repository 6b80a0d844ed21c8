-- The first ?4 chats after place ?3 of the workspace ?1 of the caller ?2 (NULL: any). No row: no such
-- workspace of theirs; one without a place: nothing there.
SELECT chat.rowid AS rowid, chat.id AS id, chat.name AS name, chat.last_updated AS last_updated,
    chat.num_versions AS num_versions, workspace.id AS workspace_id
FROM workspace
LEFT JOIN chat ON chat.workspace_id = workspace.id AND chat.rowid > ?3
WHERE workspace.id = ?1 AND (?2 IS NULL OR workspace.owner_id = ?2)
ORDER BY chat.rowid LIMIT ?4
