-- Which of the ids in the list ?1 attachments of chats have.
SELECT id FROM chat_file WHERE id IN (SELECT value FROM json_each(?1))
