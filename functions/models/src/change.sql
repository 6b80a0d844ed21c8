-- Changes the model ?1.
UPDATE model SET name = ?2, base_url = ?3, ak = ?4 WHERE id = ?1
RETURNING id, name, base_url, user_id
