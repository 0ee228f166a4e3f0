// The tables of tokens.db, which two stores share.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKENS_DB_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKENS_DB_H_

namespace skerry::cloudhub {

inline constexpr const char* kTokensDbMigrations[] = {
    R"sql(CREATE TABLE join_tokens (
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
          ) WITHOUT ROWID)sql",
    R"sql(CREATE TABLE joined_nodes (
            node TEXT PRIMARY KEY NOT NULL,
            key_hash TEXT NOT NULL,
            join_time INTEGER NOT NULL
          ) WITHOUT ROWID)sql",
    // complete: a name that is not in joined_nodes has never joined.
    R"sql(ALTER TABLE joined_nodes ADD COLUMN former_key_hash TEXT NOT NULL DEFAULT '';
          CREATE TABLE joined_nodes_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            complete INTEGER NOT NULL
          ))sql",
    R"sql(ALTER TABLE joined_nodes ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';
          ALTER TABLE joined_nodes ADD COLUMN former_boot_id TEXT NOT NULL DEFAULT '';
          ALTER TABLE joined_nodes ADD COLUMN epoch_min INTEGER NOT NULL DEFAULT 0)sql",
    R"sql(ALTER TABLE joined_nodes ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
          CREATE TABLE next_keys (
            node TEXT NOT NULL,
            key_hash TEXT NOT NULL,
            issue_time INTEGER NOT NULL,
            PRIMARY KEY (node, key_hash)
          ) WITHOUT ROWID)sql",
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKENS_DB_H_
