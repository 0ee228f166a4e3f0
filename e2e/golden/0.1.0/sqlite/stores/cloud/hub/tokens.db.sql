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
          , former_key_hash TEXT NOT NULL DEFAULT '', boot_id TEXT NOT NULL DEFAULT '', former_boot_id TEXT NOT NULL DEFAULT '', epoch_min INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE joined_nodes_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            complete INTEGER NOT NULL
          );
CREATE TABLE next_keys (
            node TEXT NOT NULL,
            key_hash TEXT NOT NULL,
            issue_time INTEGER NOT NULL,
            PRIMARY KEY (node, key_hash)
          ) WITHOUT ROWID;
INSERT INTO join_tokens VALUES ('oc7jnlqp26ca', '23e1f2eea15779a36a8b2ff2645f3de6011ff3fe2307aee2b24290cc9cba2e59', 1795766499954583, 1795852899954583, NULL, 0, 0, 0, 'golden', NULL);
INSERT INTO join_tokens VALUES ('zfh10b87rvqb', 'c27da47ece29dc55a46dc13884d0fae82c4d74a1ea6e4c47979d684e1a856ab4', 1795766487289653, 1795852887289653, NULL, 0, 1, 0, '', NULL);
INSERT INTO joined_nodes VALUES ('edge-1', '2d479c1d6527f7a547ddfa57a38a2aee97c6327199f8adf13c3e0bc8b2e92f88', 1795766487336323, '', '0a5ae6d5b47aed85c6a7a065391ec757', '', 0, 0);
INSERT INTO joined_nodes_state VALUES (1, 1);
PRAGMA user_version=5;
PRAGMA application_id=1421124125;
