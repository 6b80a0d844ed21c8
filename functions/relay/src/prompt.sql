-- Adds to the chat ?2, if ?9, the message ?1 of a person, with the text ?3 after the message ?4; and the message ?10 that a
-- model with the name ?11 is to fill, which answers ?1. The first has the position ?5, both the time ?6; the last has the
-- rev ?7. The client called what it asked ?8. ?12: the files of the first.
INSERT INTO chat_conversation
    (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev, selected, client_id, file_ids)
SELECT ?1, ?2, 'user', 'text', ?3, ?4, ?5, ?6, 'complete', NULL, ?7 - 1, ?7 - 1, ?8, ?12 WHERE ?9
UNION ALL
SELECT ?10, ?2, 'assistant', 'text', '', ?1, ?5 + ?9, ?6, 'running', ?11, ?7, ?7,
    CASE WHEN ?9 THEN NULL ELSE ?8 END, NULL
