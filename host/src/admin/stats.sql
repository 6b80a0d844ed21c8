-- How much there is of everything. What users have is summed up in their rows.
SELECT count(*) AS users, count(disabled_at) AS disabled_users, coalesce(sum(num_workspaces), 0) AS workspaces,
    coalesce(sum(num_chats), 0) AS chats, (SELECT count(*) FROM chat_conversation) AS messages,
    coalesce(sum(num_files), 0) AS files, coalesce(sum(stored_bytes), 0) AS bytes,
    (SELECT count(*) FROM session WHERE expires_at > unixepoch() * 1000) AS sessions,
    (SELECT count(*) FROM generation WHERE status = 'running') AS running_replies
FROM "user"
