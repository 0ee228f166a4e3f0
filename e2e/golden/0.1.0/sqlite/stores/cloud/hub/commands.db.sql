CREATE TABLE command (  sequence INTEGER PRIMARY KEY AUTOINCREMENT,  node TEXT NOT NULL,  key TEXT NOT NULL,  type TEXT NOT NULL,  payload BLOB NOT NULL,  reexecutable INTEGER NOT NULL,  deadline_micros INTEGER NOT NULL,  create_micros INTEGER NOT NULL,  expire_micros INTEGER NOT NULL,  stage INTEGER NOT NULL,  at_box INTEGER NOT NULL,  started INTEGER NOT NULL,  status BLOB NOT NULL,  response BLOB NOT NULL,  update_micros INTEGER NOT NULL,  UNIQUE (node, key)) STRICT;
CREATE INDEX command_unended ON command (node, sequence) WHERE stage < 4;
CREATE INDEX command_due ON command (expire_micros) WHERE stage < 4;
CREATE INDEX command_ended ON command (update_micros) WHERE stage >= 4;
DELETE FROM sqlite_sequence;
INSERT INTO command VALUES (1, 'edge-1', 'default/lamp-3/golden', 'devicemethods', x'0a0e64656661756c742f6c616d702d331206746f67676c652206676f6c64656e', 0, 30000000, 1795766499897828, 1795852899897828, 0, 0, 0, x'', x'', 1795766499897828);
INSERT INTO sqlite_sequence VALUES ('command', 1);
PRAGMA user_version=1;
PRAGMA application_id=511989725;
