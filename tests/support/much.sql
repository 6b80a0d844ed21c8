-- Gives much@example.com much: in their only workspace, 500 chats of 400 messages of 1 KB, each with a file that has two
-- versions.
BEGIN;
CREATE TEMP TABLE number AS
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 500) SELECT n FROM number;
CREATE TEMP TABLE place AS
    SELECT id, owner_id FROM workspace
    WHERE owner_id = (SELECT id FROM user WHERE email = 'much@example.com');
INSERT INTO chat (id, name, user_id, workspace_id)
    SELECT 'chat-' || n, 'much', owner_id, id FROM number, place;
INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at)
    SELECT chat.n || '-' || message.n, 'chat-' || chat.n, 'user', 'text', printf('%.*c', 1000, 'x'),
        CASE WHEN message.n > 1 THEN chat.n || '-' || (message.n - 1) END, message.n, '2026-01-01'
    FROM number AS chat JOIN number AS message ON message.n <= 400;
INSERT INTO content (id, size, media_type) SELECT 'content-' || n, 3, NULL FROM number;
INSERT INTO content_chunk (content_id, seq, bytes) SELECT 'content-' || n, 0, x'616263' FROM number;
INSERT INTO file (id, filename, path, workspace_id, content_id)
    SELECT 'file-' || n, 'a', 'a', id, 'content-' || n FROM number, place;
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
    SELECT 'file-' || n, 'a', 'a', 'chat-' || n, 'file-' || n, 'content-' || n FROM number;
INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)
    SELECT number.n || '-' || version.n, 'file-' || number.n, '2026-01-01', 'text', owner_id
    FROM number, number AS version, place WHERE version.n <= 2;
COMMIT;
