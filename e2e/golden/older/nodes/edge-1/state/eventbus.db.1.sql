-- As of commit ad99970.
CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), store_id TEXT NOT NULL,  open_micros INTEGER NOT NULL, last_publication INTEGER NOT NULL,  last_upload INTEGER NOT NULL, checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE publication (  id INTEGER PRIMARY KEY,  topic TEXT NOT NULL,  payload BLOB NOT NULL,  retain INTEGER NOT NULL,  size_bytes INTEGER NOT NULL,  open_micros INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE INDEX publication_by_topic ON publication (topic);
CREATE TABLE upload (  sequence INTEGER PRIMARY KEY,  topic TEXT NOT NULL,  payload BLOB NOT NULL,  time_micros INTEGER NOT NULL,  size_bytes INTEGER NOT NULL,  open_micros INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE seen_twin (  device TEXT PRIMARY KEY,  uid TEXT NOT NULL,  version INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
PRAGMA user_version=1;
