-- Sets the model ?3 for the chats of the user ?1 that wait for the archive's ?2.
UPDATE chat SET model_id = ?3
WHERE model_id IS NULL AND user_id = ?1 AND id IN (
    SELECT id FROM import_link WHERE user_id = ?1 AND kind = 'chat_model' AND source_id = ?2
)
