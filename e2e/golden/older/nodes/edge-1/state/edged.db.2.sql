-- As of commit 2bbdbb0.
CREATE TABLE pod_checkpoint (  uid TEXT PRIMARY KEY,  name_space TEXT NOT NULL,  name TEXT NOT NULL,  status TEXT NOT NULL,  crashes TEXT NOT NULL, grace_seconds INTEGER NOT NULL DEFAULT 30) WITHOUT ROWID;
PRAGMA user_version=2;
