// Tokens and joined nodes in PostgreSQL.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_TOKEN_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_TOKEN_STORE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

// For all replicas of a hub. `pool`, whose database has the hub's tables, outlives it.
class PostgresTokenStore final : public JoinStore {
 public:
  explicit PostgresTokenStore(postgres::Pool& pool) : pool_(pool) {}

  absl::Status Create(const TokenRecord& token) override;
  absl::StatusOr<std::vector<TokenRecord>> List(absl::string_view after_id, int limit) override;
  absl::Status Revoke(absl::string_view id) override;
  absl::StatusOr<TokenRecord> Look(absl::string_view id, absl::string_view secret_hash,
                                   absl::Time now) override;
  absl::StatusOr<Redemption> Redeem(absl::string_view id, absl::string_view secret_hash,
                                    const JoiningNode& node, absl::Time now) override;
  absl::Status Prune(absl::Time before) override;
  absl::StatusOr<bool> NodesKnown() override;
  absl::Status SetNodesKnown() override;

  absl::Status BeginRotation(const NodeName& node, absl::string_view key_hash,
                             absl::string_view next_key_hash, absl::Time now) override;
  absl::Status SetDisabled(const NodeName& node, bool disabled) override;
  absl::StatusOr<std::vector<NodeName>> DisabledNodes() override;

 private:
  postgres::Pool& pool_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_POSTGRES_TOKEN_STORE_H_
