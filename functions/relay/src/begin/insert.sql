-- Begins the reply ?1 in the chat ?2, with the heartbeat ?3 (milliseconds): an answer of the model ?5 of the user ?4, with the
-- name ?6, in the message ?7 at the position ?8, both at the time ?9. It has the rev ?10; the client called what it asked ?11.
-- It answers the message ?12, which if ?16 is new and has the text ?13, the parent ?14 and the files ?15. Where ?17 is not
-- NULL, nothing happens if the chat's rev is another one, if its owner has more than ?18 bytes, or if more than ?19 replies
-- of the owner run or more than ?20 of all users, with heartbeats of the last ?21 milliseconds.
INSERT INTO beginning (reply_id, chat_id, heartbeat, owner_id, model_id, model, answer_id, position, created_at, rev,
    client_id, prompt_id, prompt, parent_id, file_ids, is_new, is_current)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17 IS NULL OR EXISTS (
    SELECT 1 FROM chat JOIN "user" AS owner ON owner.id = chat.user_id
    WHERE chat.id = ?2 AND chat.rev = ?17 AND owner.stored_bytes <= ?18
        AND ?19 >= (SELECT count(*) FROM generation WHERE owner_id = owner.id AND status = 'running'
            AND heartbeat BETWEEN ?3 - ?21 AND ?3 + ?21)
        AND (?20 >= (SELECT count(*) FROM generation WHERE status = 'running')
            OR ?20 >= (SELECT count(*) FROM generation WHERE status = 'running'
                AND heartbeat BETWEEN ?3 - ?21 AND ?3 + ?21))
))
