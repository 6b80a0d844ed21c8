-- Whether the chat ?1 may be in the workspace ?2 and have the model ?3 (NULL: none): whether they are of its owner.
SELECT ?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = ?2 AND owner_id = chat.user_id) AS has_workspace,
    ?3 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = ?3 AND user_id = chat.user_id) AS has_model
FROM chat WHERE id = ?1
