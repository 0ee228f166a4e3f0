-- As of commit 6efd412.
CREATE TABLE pod_checkpoint (  uid TEXT PRIMARY KEY,  name_space TEXT NOT NULL,  name TEXT NOT NULL,  status TEXT NOT NULL,  crashes TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version=1;
