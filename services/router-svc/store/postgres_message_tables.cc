#include "services/router-svc/store/postgres_message_tables.h"

#include <cstdint>
#include <pqxx/pqxx>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/string_view.h"

namespace skerry::router {
namespace {

// Times are microseconds of Unix time (UTC). Collation "C": names are ordered bytewise. What comes
// from boxes, targets and users need not be text as PostgreSQL has it.
constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE router_place (
  node text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  store_id text NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (node, stream)
);
CREATE SEQUENCE router_message_id;
CREATE TABLE router_message (
  id bigint PRIMARY KEY,
  dead boolean NOT NULL,
  rule text COLLATE "C" NOT NULL,
  rule_uid text NOT NULL,
  key text NOT NULL,
  node text NOT NULL,
  source bytea NOT NULL,
  content_type bytea NOT NULL,
  payload bytea NOT NULL,
  receive_time bigint NOT NULL,
  error bytea NOT NULL,
  dead_time bigint NOT NULL
);
CREATE INDEX router_message_by_rule ON router_message (dead, rule, id);
CREATE INDEX router_message_by_id ON router_message (dead, id);
)sql",
};

constexpr char kSelect[] =
    "SELECT id, rule, rule_uid, key, node, source, content_type, payload, receive_time, error,"
    " dead_time FROM router_message";

pqxx::binarystring Bytes(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }

std::string BytesOf(const pqxx::field& field) { return pqxx::binarystring(field).str(); }

DeadLetter Read(const pqxx::row& row) {
  DeadLetter letter;
  letter.id = row[0].as<int64_t>();
  letter.rule = row[1].as<std::string>();
  letter.rule_uid = row[2].as<std::string>();
  letter.key = row[3].as<std::string>();
  letter.node = row[4].as<std::string>();
  letter.source = BytesOf(row[5]);
  letter.content_type = BytesOf(row[6]);
  letter.payload = BytesOf(row[7]);
  letter.receive_time = absl::FromUnixMicros(row[8].as<int64_t>());
  letter.error = BytesOf(row[9]);
  letter.dead_time = absl::FromUnixMicros(row[10].as<int64_t>());
  return letter;
}

}  // namespace

absl::Status PostgresMessageTables::Migrate(postgres::Pool& pool) {
  return pool.Migrate("router", kMigrations);
}

absl::Status PostgresMessageTables::Transact(absl::FunctionRef<absl::Status()> body) {
  return pool_.Transact("router messages", postgres::Pool::Mode::kWrite,
                        [&](pqxx::transaction_base& transaction) -> absl::Status {
                          transaction_ = &transaction;
                          auto end = absl::MakeCleanup([this] { transaction_ = nullptr; });
                          return body();
                        });
}

absl::StatusOr<std::vector<MessageTables::Size>> PostgresMessageTables::Sizes() {
  std::vector<Size> sizes;
  for (const pqxx::row& row : transaction_->exec(
           "SELECT dead, rule, count(*), sum(octet_length(payload) + octet_length(key) +"
           "  octet_length(source) + octet_length(rule))::bigint FROM router_message"
           " GROUP BY dead, rule")) {
    sizes.push_back({.rule = row[1].as<std::string>(),
                     .dead = row[0].as<bool>(),
                     .count = row[2].as<int64_t>(),
                     .bytes = row[3].as<int64_t>()});
  }
  return sizes;
}

absl::StatusOr<uint64_t> PostgresMessageTables::LastSequence(const EventSource& source) {
  const pqxx::result rows = transaction_->exec_params(
      "SELECT sequence FROM router_place WHERE node = $1 AND stream = $2 AND store_id = $3"
      " FOR UPDATE",
      source.node, source.stream, source.store_id);
  return rows.empty() ? 0 : static_cast<uint64_t>(rows[0][0].as<int64_t>());
}

absl::Status PostgresMessageTables::SetLast(const EventSource& source, uint64_t sequence) {
  transaction_->exec_params(
      "INSERT INTO router_place VALUES ($1, $2, $3, $4) ON CONFLICT (node, stream)"
      " DO UPDATE SET store_id = $3, sequence = $4",
      source.node, source.stream, source.store_id, static_cast<int64_t>(sequence));
  return absl::OkStatus();
}

absl::Status PostgresMessageTables::Insert(const DeadLetter& m, bool dead) {
  transaction_->exec_params(
      "INSERT INTO router_message VALUES (CASE WHEN $1 = 0 THEN nextval('router_message_id') ELSE "
      "$1"
      " END, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      m.id, dead, m.rule, m.rule_uid, m.key, m.node, Bytes(m.source), Bytes(m.content_type),
      Bytes(m.payload), absl::ToUnixMicros(m.receive_time), Bytes(m.error),
      dead ? absl::ToUnixMicros(m.dead_time) : 0);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<DeadLetter>> PostgresMessageTables::Find(int64_t id, bool dead) {
  const pqxx::result rows = transaction_->exec_params(
      std::string(kSelect) + " WHERE id = $1 AND dead = $2 FOR UPDATE", id, dead);
  if (rows.empty()) return std::nullopt;
  return std::optional(Read(rows[0]));
}

absl::Status PostgresMessageTables::Delete(int64_t id) {
  transaction_->exec_params("DELETE FROM router_message WHERE id = $1", id);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DeadLetter>> PostgresMessageTables::List(bool dead,
                                                                    const std::string& rule,
                                                                    int64_t after,
                                                                    size_t count_max) {
  std::vector<DeadLetter> found;
  const pqxx::result rows =
      transaction_->exec_params(std::string(kSelect) +
                                    " WHERE dead = $1 AND id > $2 AND ($4 = '' OR rule = $4)"
                                    " ORDER BY id LIMIT $3",
                                dead, after, static_cast<int64_t>(count_max), rule);
  for (const pqxx::row& row : rows) found.push_back(Read(row));
  return found;
}

}  // namespace skerry::router
