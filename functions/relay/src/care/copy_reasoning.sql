-- What the copies of the list ?2 have of reasoning counts, too, as their texts do. The rev tells feeds of the messages.
UPDATE chat SET rev = rev + 1, message_bytes = message_bytes + coalesce((
    SELECT sum(octet_length(reasoning)) FROM json_each(?2) AS item
    JOIN chat_conversation AS message ON message.id = item.value ->> 1
), 0)
WHERE id = ?1
