-- What is known of the texts of the contents in the list ?1, with at most ?2 characters of each.
SELECT content.id AS content_id, coalesce(known.state, 'pending') AS state, known.reason AS reason,
    substr(known.text, 1, ?2) AS text
FROM json_each(?1) AS asked
JOIN content ON content.id = asked.value
LEFT JOIN file_text AS known ON known.content_id = content.id
