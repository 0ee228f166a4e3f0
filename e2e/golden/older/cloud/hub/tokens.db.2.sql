-- As of commit 8638df9.
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
CREATE TABLE joined_nodes (
            node TEXT PRIMARY KEY NOT NULL,
            key_hash TEXT NOT NULL,
            join_time INTEGER NOT NULL
          ) WITHOUT ROWID;
PRAGMA user_version=2;
