CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), open_micros INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE command (  key TEXT PRIMARY KEY,  digest TEXT NOT NULL,  state INTEGER NOT NULL,  status BLOB NOT NULL,  response BLOB,  open_micros INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE INDEX command_by_age ON command (open_micros);
CREATE INDEX command_by_response ON command (open_micros) WHERE length(response) > 0;
INSERT INTO store VALUES (1, 25362, 3323181802);
INSERT INTO command VALUES ('default/lamp-3/done', '7285d3b44597502477d956e5c9918a06829816c67a9d934a3031d257993e57ca', 1, x'', x'08c801120566616c7365', 2941942, 2083281619);
PRAGMA user_version=1;
PRAGMA application_id=151726882;
