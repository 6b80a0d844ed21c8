-- Notes that the user ?1 took ?2 along, a chat or all that is theirs, by a request from ?3.
INSERT INTO audit (action, actor, user_id, object, address) VALUES ('exported', 'user', ?1, ?2, ?3)
