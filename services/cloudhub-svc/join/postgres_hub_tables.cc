#include "services/cloudhub-svc/join/postgres_hub_tables.h"

#include <pqxx/pqxx>

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using postgres::Pool;

// Times and epochs are microseconds of Unix time. Collation "C": ids are ordered bytewise.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE hub_state (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  ca_hash text NOT NULL,
  nodes_known boolean NOT NULL  -- A name that is not in hub_nodes has never joined.
);
CREATE TABLE hub_tokens (
  id text COLLATE "C" PRIMARY KEY,
  secret_hash text NOT NULL,
  create_time bigint NOT NULL,
  expire_time bigint NOT NULL,
  node text,
  single_use boolean NOT NULL,
  uses bigint NOT NULL,
  revoked boolean NOT NULL,
  description text NOT NULL,
  request_id text UNIQUE
);
CREATE TABLE hub_nodes (
  node text COLLATE "C" PRIMARY KEY,
  key_hash text NOT NULL,
  join_time bigint NOT NULL,
  former_key_hash text NOT NULL DEFAULT '',
  boot_id text NOT NULL DEFAULT '',
  former_boot_id text NOT NULL DEFAULT '',
  epoch_min bigint NOT NULL DEFAULT 0,
  disabled boolean NOT NULL DEFAULT false,
  session_epoch bigint NOT NULL DEFAULT 0,  -- The last that was given.
  change_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hub_nodes_by_change ON hub_nodes (change_time);
-- Replicas end what is over by that: sessions of lower epochs, and of nodes that were disabled.
CREATE FUNCTION hub_node_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.change_time := clock_timestamp();
  PERFORM pg_notify('skerry_hub_nodes',
                    NEW.node || ' ' || NEW.session_epoch || ' ' || NEW.disabled::int);
  RETURN NEW;
END $$;
CREATE TRIGGER hub_node_changed BEFORE UPDATE OF session_epoch, disabled ON hub_nodes
  FOR EACH ROW EXECUTE FUNCTION hub_node_changed();
CREATE TABLE hub_next_keys (
  node text COLLATE "C" NOT NULL,
  key_hash text NOT NULL,
  issue_time bigint NOT NULL,
  PRIMARY KEY (node, key_hash)
);
)sql",
    // `stage` is a link::CommandStage; 4 and above have ended. Unlike those above, create_time and
    // what is counted from it are the database's time.
    R"sql(
CREATE TABLE hub_commands (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node text COLLATE "C" NOT NULL,
  key bytea NOT NULL,
  type text NOT NULL,
  payload bytea NOT NULL,
  reexecutable boolean NOT NULL,
  deadline bigint NOT NULL,
  create_time bigint NOT NULL,
  expire_time bigint NOT NULL,
  stage smallint NOT NULL DEFAULT 0,
  at_box boolean NOT NULL DEFAULT false,
  started boolean NOT NULL DEFAULT false,
  status bytea NOT NULL DEFAULT '',  -- google.rpc.Status.
  response bytea NOT NULL DEFAULT '',
  update_time bigint NOT NULL,
  UNIQUE (node, key)
);
CREATE INDEX hub_commands_unended ON hub_commands (node, sequence) WHERE stage < 4;
CREATE INDEX hub_commands_due ON hub_commands (expire_time) WHERE stage < 4;
CREATE INDEX hub_commands_ended ON hub_commands (update_time) WHERE stage >= 4;
CREATE FUNCTION hub_micros() RETURNS bigint LANGUAGE sql AS
  $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
-- The hub that has the node's session sends it; those that have its senders tell them.
CREATE FUNCTION hub_command_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('skerry_hub_commands', NEW.node);
  RETURN NULL;
END $$;
CREATE TRIGGER hub_command_changed AFTER INSERT OR UPDATE ON hub_commands
  FOR EACH ROW EXECUTE FUNCTION hub_command_changed();
)sql",
};

absl::Status CaMissing(const std::string& hash) {
  return Error(absl::StatusCode::kFailedPrecondition,
               "the hubs on this database have a CA, of hash " + hash +
                   ", and this one has none: give it their ca.crt and ca.key (tls.ca_dir)")
      .Reason("CA_MISSING")
      .Meta("ca_hash", hash);
}

absl::Status CaMismatch(const std::string& hash, const std::string& own) {
  return Error(absl::StatusCode::kFailedPrecondition,
               "the hubs on this database have the CA of hash " + hash +
                   ", and this one has that of hash " + own +
                   ": give it their ca.crt and ca.key (tls.ca_dir), or a database of its own "
                   "(store.postgres_url_file)")
      .Reason("CA_MISMATCH")
      .Meta("ca_hash", hash)
      .Meta("own_ca_hash", own);
}

}  // namespace

absl::Status MigrateHubTables(Pool& pool) { return pool.Migrate("cloudhub", kMigrations); }

absl::Status ClaimCa(Pool& pool, absl::FunctionRef<bool()> is_new,
                     absl::FunctionRef<absl::StatusOr<std::string>()> open_ca) {
  return pool.Transact(
      "claim the CA", Pool::Mode::kWrite, [&](pqxx::transaction_base& transaction) -> absl::Status {
        transaction.exec("SELECT pg_advisory_xact_lock(hashtext('skerry hub CA'))");
        const pqxx::result rows = transaction.exec("SELECT ca_hash FROM hub_state");
        const bool first = is_new();
        if (!rows.empty() && first) return CaMissing(rows[0][0].as<std::string>());
        SKERRY_ASSIGN_OR_RETURN(const std::string own, open_ca());
        if (rows.empty()) {
          transaction.exec_params("INSERT INTO hub_state (ca_hash, nodes_known) VALUES ($1, $2)",
                                  own, first);
        } else if (const auto hash = rows[0][0].as<std::string>(); hash != own) {
          return CaMismatch(hash, own);
        }
        return absl::OkStatus();
      });
}

namespace postgres_tables {

void LockName(pqxx::transaction_base& transaction, const NodeName& node) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                          "skerry hub node " + node.value());
}

std::vector<std::string> NextKeys(pqxx::transaction_base& transaction, const NodeName& node) {
  std::vector<std::string> keys;
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT key_hash FROM hub_next_keys WHERE node = $1 ORDER BY key_hash COLLATE \"C\"",
           node.value())) {
    keys.push_back(row[0].as<std::string>());
  }
  return keys;
}

void ForgetNextKeys(pqxx::transaction_base& transaction, const NodeName& node) {
  transaction.exec_params("DELETE FROM hub_next_keys WHERE node = $1", node.value());
}

}  // namespace postgres_tables
}  // namespace skerry::cloudhub
