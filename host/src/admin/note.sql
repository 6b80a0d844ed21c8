-- Records what an operator does: ?1 to the user ?2, with ?3, as the user ?4 of this machine.
INSERT INTO audit (action, actor, user_id, object, address) VALUES (?1, 'operator', ?2, ?3, ?4)
