-- The files of chats in the list ?1, in its order, without those that are gone: how far their texts are, and of a picture its
-- image, as long as it and those before have at most ?2 bytes together.
WITH asked AS (
    SELECT item.key AS place, file.id, file.filename, file.content_id, octet_length(image.bytes) AS bytes
    FROM json_each(?1) AS item
    JOIN chat_file AS file ON file.id = item.value
    LEFT JOIN file_image AS image ON image.content_id = file.content_id
),
counted AS (
    SELECT *, sum(bytes) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS total FROM asked
)
SELECT counted.id AS id, counted.filename AS name, coalesce(known.state, 'pending') AS state, known.reason AS reason,
    image.media_type AS media_type, iif(counted.total <= ?2, image.bytes, NULL) AS bytes
FROM counted
LEFT JOIN file_text AS known ON known.content_id = counted.content_id
LEFT JOIN file_image AS image ON image.content_id = counted.content_id
ORDER BY counted.place
