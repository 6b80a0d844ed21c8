-- What imports know of archives (docs/decisions.md#imports-find-their-ids-again).

-- What refers to a thing of an archive that has not come yet, or stands for one.
CREATE TABLE import_link (
    user_id   TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- model: the model `id` stands for the archive's model `source_id`, since it was there under its name.
    -- user_model, workspace_model, chat_model: the user, workspace or chat `id` is to get the archive's model `source_id`.
    -- chat_file: the attachment `id` is one of the archive's file `source_id`.
    -- workspace_name, file_name: the archive's `source_id` was made as `id` before its name was known.
    kind      TEXT NOT NULL,
    source_id TEXT NOT NULL,
    -- No foreign key: what has gone is met no more.
    id        TEXT NOT NULL,
    PRIMARY KEY (user_id, kind, source_id, id)
);
