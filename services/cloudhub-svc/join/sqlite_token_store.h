// Tokens and joined nodes in a SQLite file.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_TOKEN_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_TOKEN_STORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/lib/sqlite/database.h"

namespace skerry::cloudhub {

class SqliteTokenStore final : public JoinStore {
 public:
  // path: a file whose folder exists. new_hub: no node has ever joined, so that a file which is
  // created now knows all of them.
  static absl::StatusOr<std::unique_ptr<SqliteTokenStore>> Open(
      const std::string& path, bool new_hub, const sqlite::Environment& environment = {});

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

  // Where a damaged file was put at Open: its tokens are lost, new ones must be made; so is what
  // was known of nodes.
  std::optional<std::string> set_aside() const;

 private:
  explicit SqliteTokenStore(std::unique_ptr<sqlite::Database> database)
      : database_(std::move(database)) {}
  absl::StatusOr<std::optional<TokenRecord>> Find(absl::string_view id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<NodeRecord>> FindNode(const NodeName& node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<bool> ReadNodesKnown() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Within a transaction.
  absl::Status UseNextKey(const NodeName& node, absl::string_view key_hash)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetNextKeys(const NodeName& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::unique_ptr<sqlite::Database> database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_SQLITE_TOKEN_STORE_H_
