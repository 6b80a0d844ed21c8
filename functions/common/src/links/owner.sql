-- The user who owns the file ?1, of a chat or of a workspace; no row if there is no such file, or the user is disabled.
SELECT owner.id FROM (
    SELECT chat.user_id FROM chat_file JOIN chat ON chat.id = chat_file.chat_id WHERE chat_file.id = ?1
    UNION ALL
    SELECT workspace.owner_id FROM file JOIN workspace ON workspace.id = file.workspace_id WHERE file.id = ?1
    LIMIT 1
) AS owned JOIN "user" AS owner ON owner.id = owned.user_id
WHERE owner.disabled_at IS NULL
