-- The newest messages of the chat ?1 that go in a part of ?2, and at least one: from which position on, and how many
-- bytes of texts were counted for them. That of a running reply is not counted yet.
SELECT min(position) AS position, sum(iif(status = 'running', 0, bytes)) AS bytes
FROM (
    SELECT position, status, bytes, row_number() OVER newest AS number, sum(1 + bytes / 8192) OVER newest AS amount
    FROM (
        SELECT position, status, octet_length(content) + octet_length(reasoning) AS bytes FROM chat_conversation
        WHERE chat_id = ?1 ORDER BY position DESC LIMIT ?2
    )
    WINDOW newest AS (ORDER BY position DESC ROWS UNBOUNDED PRECEDING)
)
WHERE number = 1 OR amount <= ?2
