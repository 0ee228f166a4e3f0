-- As of commit 227ea4b.
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
          , former_key_hash TEXT NOT NULL DEFAULT '', boot_id TEXT NOT NULL DEFAULT '', former_boot_id TEXT NOT NULL DEFAULT '', epoch_min INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE joined_nodes_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            complete INTEGER NOT NULL
          );
PRAGMA user_version=4;
