-- Sets the model ?3 for the user ?1, if they wait for the archive's ?2.
UPDATE "user" SET model_id = ?3
WHERE id = ?1 AND model_id IS NULL AND EXISTS (
    SELECT 1 FROM import_link WHERE user_id = ?1 AND kind = 'user_model' AND source_id = ?2
)
