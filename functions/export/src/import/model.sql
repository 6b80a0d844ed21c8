-- The model of the user ?1 that is the archive's ?2 itself, was made of it as ?3, or stands for it.
SELECT id FROM model
WHERE user_id = ?1 AND id IN (
    SELECT ?2 UNION ALL SELECT ?3
    UNION ALL SELECT id FROM import_link WHERE user_id = ?1 AND kind = 'model' AND source_id = ?2
)
ORDER BY id = ?2 DESC LIMIT 1
