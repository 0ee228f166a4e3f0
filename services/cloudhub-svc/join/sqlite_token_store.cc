#include "services/cloudhub-svc/join/sqlite_token_store.h"

#include <utility>

#include "services/cloudhub-svc/join/tokens_db.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

constexpr char kColumns[] =
    "id, secret_hash, create_time, expire_time, node, single_use, uses, revoked, description, "
    "request_id";

std::string Select(absl::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM join_tokens " + std::string(rest);
}

absl::StatusOr<TokenRecord> Read(const sqlite::Statement& row) {
  TokenRecord token;
  token.id = row.Text(0);
  token.secret_hash = row.Text(1);
  token.create_time = absl::FromUnixMicros(row.Int(2));
  token.expire_time = absl::FromUnixMicros(row.Int(3));
  if (!row.IsNull(4)) {
    SKERRY_ASSIGN_OR_RETURN(token.node, NodeName::Parse(row.Text(4)));
  }
  token.single_use = row.Int(5) != 0;
  token.uses = row.Int(6);
  token.revoked = row.Int(7) != 0;
  token.description = row.Text(8);
  token.request_id = row.Text(9);
  return token;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTokenStore>> SqliteTokenStore::Open(
    const std::string& path, bool new_hub, const sqlite::Environment& environment) {
  SKERRY_ASSIGN_OR_RETURN(
      std::unique_ptr<sqlite::Database> database,
      sqlite::Database::Open({.path = path, .environment = environment}, kTokensDbMigrations));
  sqlite::Statement insert = database->Prepare(
      "INSERT INTO joined_nodes_state (id, complete) VALUES (1, ?1) ON CONFLICT DO NOTHING");
  SKERRY_RETURN_IF_ERROR(insert.Bind(1, int64_t{new_hub}).Run());
  return std::unique_ptr<SqliteTokenStore>(new SqliteTokenStore(std::move(database)));
}

absl::Status SqliteTokenStore::Create(const TokenRecord& token) {
  absl::MutexLock lock(&mutex_);
  if (!token.request_id.empty()) {
    sqlite::Statement known = database_->Prepare("SELECT 1 FROM join_tokens WHERE request_id = ?1");
    known.Bind(1, token.request_id);
    SKERRY_ASSIGN_OR_RETURN(bool repeated, known.Step());
    if (repeated) return RequestRepeated(token.request_id);
  }
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO join_tokens VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  insert.Bind(1, token.id).Bind(2, token.secret_hash);
  insert.Bind(3, absl::ToUnixMicros(token.create_time))
      .Bind(4, absl::ToUnixMicros(token.expire_time));
  if (token.node.has_value()) {
    insert.Bind(5, token.node->value());
  } else {
    insert.BindNull(5);
  }
  insert.Bind(6, int64_t{token.single_use}).Bind(7, token.uses).Bind(8, int64_t{token.revoked});
  insert.Bind(9, token.description);
  if (token.request_id.empty()) {
    insert.BindNull(10);
  } else {
    insert.Bind(10, token.request_id);
  }
  return insert.Run();
}

absl::StatusOr<std::vector<TokenRecord>> SqliteTokenStore::List(absl::string_view after_id,
                                                                int limit) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement rows = database_->Prepare(Select("WHERE id > ?1 ORDER BY id LIMIT ?2"));
  rows.Bind(1, after_id).Bind(2, int64_t{limit});
  std::vector<TokenRecord> tokens;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool more, rows.Step());
    if (!more) return tokens;
    SKERRY_ASSIGN_OR_RETURN(TokenRecord token, Read(rows));
    tokens.push_back(std::move(token));
  }
}

absl::Status SqliteTokenStore::Revoke(absl::string_view id) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement update = database_->Prepare("UPDATE join_tokens SET revoked = 1 WHERE id = ?1");
  SKERRY_RETURN_IF_ERROR(update.Bind(1, id).Run());
  if (database_->Changes() > 0) return absl::OkStatus();
  return TokenNotFound(id);
}

absl::StatusOr<TokenRecord> SqliteTokenStore::Look(absl::string_view id,
                                                   absl::string_view secret_hash, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  SKERRY_ASSIGN_OR_RETURN(std::optional<TokenRecord> token, Find(id));
  SKERRY_RETURN_IF_ERROR(CheckTokenIsGood(token, secret_hash, now));
  return *std::move(token);
}

absl::StatusOr<Redemption> SqliteTokenStore::Redeem(absl::string_view id,
                                                    absl::string_view secret_hash,
                                                    const JoiningNode& node, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Redemption redemption;
  absl::Status status =
      database_->Transaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(std::optional<TokenRecord> token, Find(id));
        SKERRY_ASSIGN_OR_RETURN(std::optional<NodeRecord> joined, FindNode(node.name));
        SKERRY_ASSIGN_OR_RETURN(bool nodes_known, ReadNodesKnown());
        SKERRY_ASSIGN_OR_RETURN(
            redemption, CheckRedemption(token, secret_hash, joined, nodes_known, node, now));
        // The former key is the last that may have linked, however many joins were tried since.
        sqlite::Statement record = database_->Prepare(
            "INSERT INTO joined_nodes (node, key_hash, join_time) VALUES (?1, ?2, ?3) "
            "ON CONFLICT (node) DO UPDATE SET key_hash = ?2, join_time = ?3, former_key_hash = "
            "CASE WHEN key_hash = ?2 OR former_key_hash <> '' THEN former_key_hash "
            "ELSE key_hash END");
        record.Bind(1, node.name.value()).Bind(2, node.key_hash).Bind(3, absl::ToUnixMicros(now));
        SKERRY_RETURN_IF_ERROR(record.Run());
        SKERRY_RETURN_IF_ERROR(ForgetNextKeys(node.name));
        sqlite::Statement update =
            database_->Prepare("UPDATE join_tokens SET uses = uses + 1 WHERE id = ?1");
        return update.Bind(1, id).Run();
      });
  SKERRY_RETURN_IF_ERROR(status);
  return redemption;
}

absl::Status SqliteTokenStore::BeginRotation(const NodeName& node, absl::string_view key_hash,
                                             absl::string_view next_key_hash, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  return database_->Transaction([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(std::optional<NodeRecord> record, FindNode(node));
    SKERRY_RETURN_IF_ERROR(CheckRotation(record, node, key_hash));
    if (key_hash != absl::string_view(record->key_hash))
      SKERRY_RETURN_IF_ERROR(UseNextKey(node, key_hash));
    if (next_key_hash == key_hash) return absl::OkStatus();
    sqlite::Statement insert =
        database_->Prepare("INSERT OR REPLACE INTO next_keys VALUES (?1, ?2, ?3)");
    insert.Bind(1, node.value()).Bind(2, next_key_hash).Bind(3, absl::ToUnixMicros(now));
    SKERRY_RETURN_IF_ERROR(insert.Run());
    sqlite::Statement trim = database_->Prepare(
        "DELETE FROM next_keys WHERE node = ?1 AND key_hash NOT IN (SELECT key_hash FROM next_keys "
        "WHERE node = ?1 ORDER BY issue_time DESC LIMIT ?2)");
    return trim.Bind(1, node.value()).Bind(2, kNextKeysMax).Run();
  });
}

absl::Status SqliteTokenStore::SetDisabled(const NodeName& node, bool disabled) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement update =
      database_->Prepare("UPDATE joined_nodes SET disabled = ?2 WHERE node = ?1");
  SKERRY_RETURN_IF_ERROR(update.Bind(1, node.value()).Bind(2, int64_t{disabled}).Run());
  if (database_->Changes() > 0) return absl::OkStatus();
  return NodeNotFound(node);
}

absl::StatusOr<std::vector<NodeName>> SqliteTokenStore::DisabledNodes() {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement rows = database_->Prepare("SELECT node FROM joined_nodes WHERE disabled != 0");
  std::vector<NodeName> nodes;
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool more, rows.Step());
    if (!more) return nodes;
    SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(rows.Text(0)));
    nodes.push_back(std::move(node));
  }
}

absl::Status SqliteTokenStore::Prune(absl::Time before) {
  absl::MutexLock lock(&mutex_);
  sqlite::Statement remove = database_->Prepare("DELETE FROM join_tokens WHERE expire_time < ?1");
  return remove.Bind(1, absl::ToUnixMicros(before)).Run();
}

absl::StatusOr<bool> SqliteTokenStore::NodesKnown() {
  absl::MutexLock lock(&mutex_);
  return ReadNodesKnown();
}

absl::Status SqliteTokenStore::SetNodesKnown() {
  absl::MutexLock lock(&mutex_);
  return database_->Execute("UPDATE joined_nodes_state SET complete = 1");
}

std::optional<std::string> SqliteTokenStore::set_aside() const {
  absl::MutexLock lock(&mutex_);
  return database_->set_aside();
}

absl::StatusOr<std::optional<TokenRecord>> SqliteTokenStore::Find(absl::string_view id) {
  sqlite::Statement row = database_->Prepare(Select("WHERE id = ?1"));
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, id).Step());
  if (!found) return std::nullopt;
  SKERRY_ASSIGN_OR_RETURN(TokenRecord token, Read(row));
  return token;
}

absl::StatusOr<std::optional<NodeRecord>> SqliteTokenStore::FindNode(const NodeName& node) {
  sqlite::Statement row =
      database_->Prepare("SELECT key_hash, disabled FROM joined_nodes WHERE node = ?1");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Bind(1, node.value()).Step());
  if (!found) return std::nullopt;
  NodeRecord record = {.key_hash = row.Text(0), .disabled = row.Int(1) != 0};
  sqlite::Statement next = database_->Prepare("SELECT key_hash FROM next_keys WHERE node = ?1");
  next.Bind(1, node.value());
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool more, next.Step());
    if (!more) return record;
    record.next_key_hashes.push_back(next.Text(0));
  }
}

// As Admit of core/node_record.h: what is known of sessions is another box's where a join has
// replaced the key that they were of.
absl::Status SqliteTokenStore::UseNextKey(const NodeName& node, absl::string_view key_hash) {
  sqlite::Statement update = database_->Prepare(
      "UPDATE joined_nodes SET key_hash = ?2, former_key_hash = '',"
      " boot_id = iif(former_key_hash = '', boot_id, ''),"
      " former_boot_id = iif(former_key_hash = '', former_boot_id, ''),"
      " epoch_min = iif(former_key_hash = '', epoch_min, 0) WHERE node = ?1");
  SKERRY_RETURN_IF_ERROR(update.Bind(1, node.value()).Bind(2, key_hash).Run());
  return ForgetNextKeys(node);
}

absl::Status SqliteTokenStore::ForgetNextKeys(const NodeName& node) {
  sqlite::Statement forget = database_->Prepare("DELETE FROM next_keys WHERE node = ?1");
  return forget.Bind(1, node.value()).Run();
}

absl::StatusOr<bool> SqliteTokenStore::ReadNodesKnown() {
  sqlite::Statement row = database_->Prepare("SELECT complete FROM joined_nodes_state");
  SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
  return found && row.Int(0) != 0;
}

}  // namespace skerry::cloudhub
