-- As of commit 158b626.
CREATE TABLE join_tokens (
            id TEXT PRIMARY KEY NOT NULL,
            secret_hash TEXT NOT NULL,
            create_time INTEGER NOT NULL,
            expire_time INTEGER NOT NULL,
            node TEXT,
            single_use INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            revoked INTEGER NOT NULL,
            description TEXT NOT NULL,
            request_id TEXT UNIQUE
          ) WITHOUT ROWID;
PRAGMA user_version=1;
