-- What people do with messages: rate replies, and delete messages with what follows them.

-- What its reader thinks of a reply: good, bad; NULL: nothing.
ALTER TABLE chat_conversation ADD COLUMN rating TEXT;
-- What the reader wrote about that.
ALTER TABLE chat_conversation ADD COLUMN note TEXT;

-- The rev at which messages were deleted last: a client that is behind it forgets the messages that it knows.
ALTER TABLE chat ADD COLUMN deleted_rev INTEGER NOT NULL DEFAULT 0;
-- How many positions below the last one have no message any more.
ALTER TABLE chat ADD COLUMN num_gaps INTEGER NOT NULL DEFAULT 0;
