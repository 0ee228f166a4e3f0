-- As of commit 227ea4b.
CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), journal_id TEXT NOT NULL,  acked_sequence INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE report (  sequence INTEGER PRIMARY KEY AUTOINCREMENT,  type TEXT NOT NULL,  key TEXT NOT NULL,  generation INTEGER NOT NULL,  wall_micros INTEGER NOT NULL,  logical INTEGER NOT NULL,  value BLOB NOT NULL,  size_bytes INTEGER NOT NULL,  stored_micros INTEGER NOT NULL,  UNIQUE (type, key)) STRICT;
CREATE INDEX report_by_type ON report (type, sequence);
CREATE INDEX report_by_age ON report (stored_micros);
PRAGMA user_version=2;
