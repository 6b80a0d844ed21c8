-- What is noted of archives (0020_import.sql) goes with what it is about, and is counted: an archive could name any number of
-- things that never come.

ALTER TABLE "user" ADD COLUMN num_import_links INTEGER NOT NULL DEFAULT 0;

UPDATE "user" SET num_import_links = (SELECT count(*) FROM import_link WHERE user_id = "user".id)
WHERE id IN (SELECT user_id FROM import_link);

CREATE INDEX import_link_id ON import_link (id);

CREATE TRIGGER import_link_is_counted AFTER INSERT ON import_link
BEGIN
    UPDATE "user" SET num_import_links = num_import_links + 1 WHERE id = NEW.user_id;
END;

CREATE TRIGGER import_link_is_counted_off AFTER DELETE ON import_link
BEGIN
    UPDATE "user" SET num_import_links = num_import_links - 1 WHERE id = OLD.user_id;
END;

CREATE TRIGGER chat_takes_import_links AFTER DELETE ON chat
BEGIN
    DELETE FROM import_link WHERE id = OLD.id AND kind = 'chat_model';
END;

CREATE TRIGGER chat_file_takes_import_links AFTER DELETE ON chat_file
BEGIN
    DELETE FROM import_link WHERE id = OLD.id AND kind = 'chat_file';
END;

CREATE TRIGGER file_takes_import_links AFTER DELETE ON file
BEGIN
    DELETE FROM import_link WHERE id = OLD.id AND kind = 'file_name';
END;

CREATE TRIGGER workspace_takes_import_links AFTER DELETE ON workspace
BEGIN
    DELETE FROM import_link WHERE id = OLD.id AND kind IN ('workspace_model', 'workspace_name');
END;

CREATE TRIGGER model_takes_import_links AFTER DELETE ON model
BEGIN
    DELETE FROM import_link WHERE id = OLD.id AND kind = 'model';
END;
