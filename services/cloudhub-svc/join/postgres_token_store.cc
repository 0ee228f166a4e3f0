#include "services/cloudhub-svc/join/postgres_token_store.h"

#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using postgres::Pool;
using Transaction = pqxx::transaction_base;

constexpr char kSelect[] =
    "SELECT id, secret_hash, create_time, expire_time, node, single_use, uses, revoked, "
    "description, COALESCE(request_id, '') FROM hub_tokens ";

absl::StatusOr<TokenRecord> Read(const pqxx::row& row) {
  TokenRecord token;
  token.id = row[0].as<std::string>();
  token.secret_hash = row[1].as<std::string>();
  token.create_time = absl::FromUnixMicros(row[2].as<int64_t>());
  token.expire_time = absl::FromUnixMicros(row[3].as<int64_t>());
  if (!row[4].is_null()) {
    SKERRY_ASSIGN_OR_RETURN(token.node, NodeName::Parse(row[4].as<std::string>()));
  }
  token.single_use = row[5].as<bool>();
  token.uses = row[6].as<int64_t>();
  token.revoked = row[7].as<bool>();
  token.description = row[8].as<std::string>();
  token.request_id = row[9].as<std::string>();
  return token;
}

// lock: nobody else uses the token until the transaction ends.
absl::StatusOr<std::optional<TokenRecord>> FindToken(Transaction& transaction, absl::string_view id,
                                                     bool lock) {
  const pqxx::result rows = transaction.exec_params(
      std::string(kSelect) + (lock ? "WHERE id = $1 FOR UPDATE" : "WHERE id = $1"),
      std::string(id));
  if (rows.empty()) return std::nullopt;
  SKERRY_ASSIGN_OR_RETURN(TokenRecord token, Read(rows[0]));
  return token;
}

std::optional<NodeRecord> FindNode(Transaction& transaction, const NodeName& node) {
  const pqxx::result rows = transaction.exec_params(
      "SELECT key_hash, disabled FROM hub_nodes WHERE node = $1", node.value());
  if (rows.empty()) return std::nullopt;
  return NodeRecord{.key_hash = rows[0][0].as<std::string>(),
                    .next_key_hashes = postgres_tables::NextKeys(transaction, node),
                    .disabled = rows[0][1].as<bool>()};
}

bool ReadNodesKnown(Transaction& transaction) {
  const pqxx::result rows = transaction.exec("SELECT nodes_known FROM hub_state");
  return !rows.empty() && rows[0][0].as<bool>();
}

// The former key is the last that may have linked, however many joins were tried since.
void RecordKey(Transaction& transaction, const JoiningNode& node, absl::Time now) {
  transaction.exec_params(
      "INSERT INTO hub_nodes AS n (node, key_hash, join_time) VALUES ($1, $2, $3) "
      "ON CONFLICT (node) DO UPDATE SET key_hash = $2, join_time = $3, former_key_hash = "
      "CASE WHEN n.key_hash = $2 OR n.former_key_hash <> '' THEN n.former_key_hash "
      "ELSE n.key_hash END",
      node.name.value(), node.key_hash, absl::ToUnixMicros(now));
  postgres_tables::ForgetNextKeys(transaction, node.name);
}

// As Admit of core/node_record.h: what is known of sessions is another box's where a join has
// replaced the key that they were of.
void UseNextKey(Transaction& transaction, const NodeName& node, absl::string_view key_hash) {
  transaction.exec_params(
      "UPDATE hub_nodes SET key_hash = $2, former_key_hash = '',"
      " boot_id = CASE WHEN former_key_hash = '' THEN boot_id ELSE '' END,"
      " former_boot_id = CASE WHEN former_key_hash = '' THEN former_boot_id ELSE '' END,"
      " epoch_min = CASE WHEN former_key_hash = '' THEN epoch_min ELSE 0 END WHERE node = $1",
      node.value(), std::string(key_hash));
  postgres_tables::ForgetNextKeys(transaction, node);
}

}  // namespace

absl::Status PostgresTokenStore::Create(const TokenRecord& token) {
  return pool_.Transact(
      "create token", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        const pqxx::result made = transaction.exec_params(
            "INSERT INTO hub_tokens VALUES ($1, $2, $3, $4, NULLIF($5, ''), $6, $7, $8, $9, "
            "NULLIF($10, '')) ON CONFLICT DO NOTHING",
            token.id, token.secret_hash, absl::ToUnixMicros(token.create_time),
            absl::ToUnixMicros(token.expire_time),
            token.node.has_value() ? token.node->value() : std::string(), token.single_use,
            token.uses, token.revoked, token.description, token.request_id);
        if (made.affected_rows() > 0) return absl::OkStatus();
        const pqxx::result repeated = transaction.exec_params(
            "SELECT 1 FROM hub_tokens WHERE request_id = $1", token.request_id);
        if (!repeated.empty()) return RequestRepeated(token.request_id);
        return absl::AlreadyExistsError("there is a token of this id");
      });
}

absl::StatusOr<std::vector<TokenRecord>> PostgresTokenStore::List(absl::string_view after_id,
                                                                  int limit) {
  std::vector<TokenRecord> tokens;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "list tokens", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        tokens.clear();
        for (const pqxx::row& row :
             transaction.exec_params(std::string(kSelect) + "WHERE id > $1 ORDER BY id LIMIT $2",
                                     std::string(after_id), limit)) {
          SKERRY_ASSIGN_OR_RETURN(TokenRecord token, Read(row));
          tokens.push_back(std::move(token));
        }
        return absl::OkStatus();
      }));
  return tokens;
}

absl::Status PostgresTokenStore::Revoke(absl::string_view id) {
  return pool_.Transact("revoke token", Pool::Mode::kWrite, [&](Transaction& transaction) {
    const pqxx::result revoked = transaction.exec_params(
        "UPDATE hub_tokens SET revoked = true WHERE id = $1", std::string(id));
    return revoked.affected_rows() > 0 ? absl::OkStatus() : TokenNotFound(id);
  });
}

absl::StatusOr<TokenRecord> PostgresTokenStore::Look(absl::string_view id,
                                                     absl::string_view secret_hash,
                                                     absl::Time now) {
  TokenRecord found;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "look at token", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        SKERRY_ASSIGN_OR_RETURN(std::optional<TokenRecord> token,
                                FindToken(transaction, id, false));
        SKERRY_RETURN_IF_ERROR(CheckTokenIsGood(token, secret_hash, now));
        found = *std::move(token);
        return absl::OkStatus();
      }));
  return found;
}

absl::StatusOr<Redemption> PostgresTokenStore::Redeem(absl::string_view id,
                                                      absl::string_view secret_hash,
                                                      const JoiningNode& node, absl::Time now) {
  Redemption redemption;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "redeem token", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        postgres_tables::LockName(transaction, node.name);
        SKERRY_ASSIGN_OR_RETURN(std::optional<TokenRecord> token, FindToken(transaction, id, true));
        SKERRY_ASSIGN_OR_RETURN(
            redemption, CheckRedemption(token, secret_hash, FindNode(transaction, node.name),
                                        ReadNodesKnown(transaction), node, now));
        RecordKey(transaction, node, now);
        transaction.exec_params("UPDATE hub_tokens SET uses = uses + 1 WHERE id = $1",
                                std::string(id));
        return absl::OkStatus();
      }));
  return redemption;
}

absl::Status PostgresTokenStore::Prune(absl::Time before) {
  return pool_.Transact("prune tokens", Pool::Mode::kWrite, [&](Transaction& transaction) {
    transaction.exec_params("DELETE FROM hub_tokens WHERE expire_time < $1",
                            absl::ToUnixMicros(before));
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> PostgresTokenStore::NodesKnown() {
  bool known = false;
  SKERRY_RETURN_IF_ERROR(pool_.Transact("read whether nodes are known", Pool::Mode::kSnapshot,
                                        [&](Transaction& transaction) {
                                          known = ReadNodesKnown(transaction);
                                          return absl::OkStatus();
                                        }));
  return known;
}

absl::Status PostgresTokenStore::SetNodesKnown() {
  return pool_.Transact("set nodes known", Pool::Mode::kWrite, [&](Transaction& transaction) {
    transaction.exec("UPDATE hub_state SET nodes_known = true");
    return absl::OkStatus();
  });
}

absl::Status PostgresTokenStore::BeginRotation(const NodeName& node, absl::string_view key_hash,
                                               absl::string_view next_key_hash, absl::Time now) {
  return pool_.Transact(
      "begin rotation", Pool::Mode::kWrite, [&](Transaction& transaction) -> absl::Status {
        postgres_tables::LockName(transaction, node);
        const std::optional<NodeRecord> record = FindNode(transaction, node);
        SKERRY_RETURN_IF_ERROR(CheckRotation(record, node, key_hash));
        if (key_hash != absl::string_view(record->key_hash))
          UseNextKey(transaction, node, key_hash);
        if (next_key_hash == key_hash) return absl::OkStatus();
        transaction.exec_params(
            "INSERT INTO hub_next_keys VALUES ($1, $2, $3) "
            "ON CONFLICT (node, key_hash) DO UPDATE SET issue_time = $3",
            node.value(), std::string(next_key_hash), absl::ToUnixMicros(now));
        transaction.exec_params(
            "DELETE FROM hub_next_keys WHERE node = $1 AND key_hash NOT IN (SELECT key_hash FROM "
            "hub_next_keys WHERE node = $1 ORDER BY issue_time DESC LIMIT $2)",
            node.value(), kNextKeysMax);
        return absl::OkStatus();
      });
}

absl::Status PostgresTokenStore::SetDisabled(const NodeName& node, bool disabled) {
  return pool_.Transact("disable node", Pool::Mode::kWrite, [&](Transaction& transaction) {
    postgres_tables::LockName(transaction, node);
    const pqxx::result found = transaction.exec_params(
        "UPDATE hub_nodes SET disabled = $2 WHERE node = $1", node.value(), disabled);
    return found.affected_rows() > 0 ? absl::OkStatus() : NodeNotFound(node);
  });
}

absl::StatusOr<std::vector<NodeName>> PostgresTokenStore::DisabledNodes() {
  std::vector<NodeName> nodes;
  SKERRY_RETURN_IF_ERROR(pool_.Transact(
      "list disabled nodes", Pool::Mode::kSnapshot, [&](Transaction& transaction) -> absl::Status {
        nodes.clear();
        for (const pqxx::row& row :
             transaction.exec("SELECT node FROM hub_nodes WHERE disabled ORDER BY node")) {
          SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(row[0].as<std::string>()));
          nodes.push_back(std::move(node));
        }
        return absl::OkStatus();
      }));
  return nodes;
}

}  // namespace skerry::cloudhub
