-- Gives long@example.com a chat of 10,000 messages of different lengths.
BEGIN;
INSERT INTO chat (id, name, user_id, workspace_id)
    SELECT 'long', 'A long one', owner_id, id FROM workspace
    WHERE owner_id = (SELECT id FROM user WHERE email = 'long@example.com');
INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
    SELECT 'm-' || n, 'long', iif(n % 2, 'user', 'assistant'), 'text',
        'Message ' || n || '.' || replace(printf('%.*c', n % 7, 'x'), 'x', char(10, 10) || 'A paragraph of some words that go on for more than one line of the column, so that messages differ in height.'),
        CASE WHEN n > 1 THEN 'm-' || (n - 1) END, n, '2026-01-01' FROM number;
UPDATE chat SET head_id = 'm-10000' WHERE id = 'long';
COMMIT;
