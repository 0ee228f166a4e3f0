-- As of commit d671da7.
CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL,  open_micros INTEGER NOT NULL) STRICT;
CREATE TABLE stream (  id INTEGER PRIMARY KEY,  name TEXT NOT NULL UNIQUE,  priority INTEGER NOT NULL,  when_full INTEGER NOT NULL,  last_sequence INTEGER NOT NULL,  dropped INTEGER NOT NULL) STRICT;
CREATE TABLE event (  stream INTEGER NOT NULL REFERENCES stream (id),  sequence INTEGER NOT NULL,  dropped_before INTEGER NOT NULL,  time_micros INTEGER NOT NULL,  key TEXT NOT NULL,  value BLOB NOT NULL,  size_bytes INTEGER NOT NULL,  open_micros INTEGER NOT NULL,  PRIMARY KEY (stream, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE producer (  stream INTEGER NOT NULL REFERENCES stream (id),  name TEXT NOT NULL,  last_sequence INTEGER NOT NULL,  used INTEGER NOT NULL,  PRIMARY KEY (stream, name)) STRICT, WITHOUT ROWID;
CREATE INDEX producer_by_use ON producer (stream, used);
PRAGMA user_version=1;
