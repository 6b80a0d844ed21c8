-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), with its running reply and the settings
-- of its owner, its workspace and itself. One whose heartbeat is
-- not within ?4 of ?3, which is now, has lost its writer, and is running no more, although no request has marked it yet.
-- Nothing is counted that grows with the chat: messages have positions from 1 on, and its gaps are known.
SELECT chat.id AS id, chat.name AS name, chat.last_updated AS last_updated, chat.num_versions AS num_versions,
    chat.workspace_id AS workspace_id, chat.rev AS rev,
    max(0, coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) - chat.num_gaps) AS num_messages,
    reply.id AS "generation.id", reply.message_id AS "generation.message_id", reply.model AS "generation.model",
    reply.seq AS "generation.seq",
    owner.instructions AS "levels.user.instructions", owner.model_id AS "levels.user.model_id", owner.temperature AS "levels.user.temperature",
    owner.top_p AS "levels.user.top_p", owner.max_tokens AS "levels.user.max_tokens", owner.reasoning_effort AS "levels.user.reasoning_effort",
    owner.extra AS "levels.user.extra",
    workspace.instructions AS "levels.workspace.instructions", workspace.model_id AS "levels.workspace.model_id", workspace.temperature AS "levels.workspace.temperature",
    workspace.top_p AS "levels.workspace.top_p", workspace.max_tokens AS "levels.workspace.max_tokens", workspace.reasoning_effort AS "levels.workspace.reasoning_effort",
    workspace.extra AS "levels.workspace.extra",
    chat.instructions AS "levels.chat.instructions", chat.model_id AS "levels.chat.model_id", chat.temperature AS "levels.chat.temperature",
    chat.top_p AS "levels.chat.top_p", chat.max_tokens AS "levels.chat.max_tokens", chat.reasoning_effort AS "levels.chat.reasoning_effort",
    chat.extra AS "levels.chat.extra"
FROM chat
JOIN workspace ON workspace.id = chat.workspace_id
JOIN "user" AS owner ON owner.id = chat.user_id
LEFT JOIN generation AS reply ON reply.chat_id = chat.id AND reply.status = 'running' AND reply.heartbeat BETWEEN ?3 - ?4 AND ?3 + ?4
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
