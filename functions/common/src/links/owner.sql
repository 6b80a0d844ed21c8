-- The user who owns the file ?1, of a chat or of a workspace.
SELECT coalesce(
    (SELECT user_id FROM chat WHERE id = (SELECT chat_id FROM chat_file WHERE id = ?1)),
    (SELECT owner_id FROM workspace WHERE id = (SELECT workspace_id FROM file WHERE id = ?1))
)
