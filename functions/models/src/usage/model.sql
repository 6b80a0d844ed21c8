-- What the user ?1 has used from the day ?2 (NULL: 29 days before the last) to the day ?3, by model: the first ?5 after ?4
-- (NULL: from the beginning), and the tokens of this month. No row: no such user; one without a key: nothing there.
SELECT used.key AS key,
    NULL AS "used.day", nullif(used.key, '') AS "used.model_id", coalesce(model.name, used.model) AS "used.model", NULL AS "used.chat_id", NULL AS "used.chat_name",
    used.replies AS "used.replies", used.estimated_replies AS "used.estimated_replies", used.tokens_in AS "used.tokens_in",
    used.tokens_out AS "used.tokens_out", used.tokens_cached AS "used.tokens_cached",
    used.tokens_reasoning AS "used.tokens_reasoning",
    iif(owner.usage_month = strftime('%Y-%m', 'now'), owner.usage_tokens, 0) AS tokens_of_month,
    date('now', 'start of month', '+1 month') AS month_ends
FROM "user" AS owner
LEFT JOIN (
    SELECT model_id AS key, max(model) AS model, sum(replies) AS replies, sum(estimated_replies) AS estimated_replies,
        sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(tokens_cached) AS tokens_cached,
        sum(tokens_reasoning) AS tokens_reasoning
    FROM usage INDEXED BY usage_of_models WHERE user_id = ?1 AND day BETWEEN coalesce(?2, date(?3, '-29 days')) AND ?3 AND model_id >= coalesce(?4, '') AND model_id IS NOT ?4
    GROUP BY model_id ORDER BY model_id LIMIT ?5
) AS used
LEFT JOIN model ON model.id = used.key
WHERE owner.id = ?1
ORDER BY used.key
