-- As of commit 30eec41.
CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), version_floor INTEGER NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE twin (  device TEXT PRIMARY KEY,  uid TEXT NOT NULL,  generation INTEGER NOT NULL,  version INTEGER NOT NULL,  write_ids BLOB NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE property (  device TEXT NOT NULL,  name TEXT NOT NULL,  property BLOB NOT NULL,  checksum INTEGER NOT NULL DEFAULT -1,  UNIQUE (device, name)) STRICT;
PRAGMA user_version=1;
