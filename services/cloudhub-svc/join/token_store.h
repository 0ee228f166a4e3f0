// Join tokens as the hub remembers them.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/lib/model/names.h"

namespace skerry::cloudhub {

struct TokenRecord {
  std::string id;
  std::string secret_hash;  // security::HashJoinSecret.
  absl::Time create_time;
  absl::Time expire_time;
  std::optional<NodeName> node;  // Only this node may use it.
  bool single_use = false;
  int64_t uses = 0;
  bool revoked = false;
  std::string description;
  std::string request_id;  // Empty where none was given.
};

// Whether `token` lets some node join now. UNAUTHENTICATED / TOKEN_UNKNOWN (also for a wrong
// secret: who guesses ids learns nothing), PERMISSION_DENIED / TOKEN_REVOKED, TOKEN_EXPIRED or
// TOKEN_USED.
absl::Status CheckTokenIsGood(const std::optional<TokenRecord>& token,
                              absl::string_view secret_hash, absl::Time now);

// Whether it lets `node` join now: as above, or PERMISSION_DENIED / TOKEN_WRONG_NODE.
absl::Status CheckToken(const std::optional<TokenRecord>& token, absl::string_view secret_hash,
                        const NodeName& node, absl::Time now);

// Who asks to join: a name, and the key that its CSR proved.
struct JoiningNode {
  NodeName name;
  std::string key_hash;  // SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex.
};

// Whether `token`, which CheckToken lets `node` use, lets it have the name although that is
// `joined_key_hash`'s already (empty: nobody's, as far as is known). The same key may come back;
// another one only with a token made for exactly this node, or else any token would take over any
// node. The same holds for a name of nobody unless `nodes_known`: it may be that of a node which
// was forgotten. PERMISSION_DENIED / NODE_ALREADY_JOINED or NODES_NOT_KNOWN.
absl::Status CheckNodeKey(const TokenRecord& token, absl::string_view joined_key_hash,
                          bool nodes_known, const JoiningNode& node);

struct Redemption {
  std::string replaced_key_hash;  // Empty unless the name was another key's.
};

// CheckToken and CheckNodeKey, and PERMISSION_DENIED / NODE_DISABLED. joined: what is on record of
// the name.
absl::StatusOr<Redemption> CheckRedemption(const std::optional<TokenRecord>& token,
                                           absl::string_view secret_hash,
                                           const std::optional<NodeRecord>& joined,
                                           bool nodes_known, const JoiningNode& node,
                                           absl::Time now);

// ALREADY_EXISTS / REQUEST_REPEATED.
absl::Status RequestRepeated(absl::string_view request_id);
// NOT_FOUND / TOKEN_UNKNOWN.
absl::Status TokenNotFound(absl::string_view id);

// Durable before it returns. Any thread may call it.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // ALREADY_EXISTS / REQUEST_REPEATED for a request id that was used; ALREADY_EXISTS for a known
  // id.
  virtual absl::Status Create(const TokenRecord& token) = 0;
  // Ordered by id, after `after_id`.
  virtual absl::StatusOr<std::vector<TokenRecord>> List(absl::string_view after_id, int limit) = 0;
  // NOT_FOUND / TOKEN_UNKNOWN. Revoking twice is fine.
  virtual absl::Status Revoke(absl::string_view id) = 0;
  // The token, where CheckTokenIsGood says so. Changes nothing.
  virtual absl::StatusOr<TokenRecord> Look(absl::string_view id, absl::string_view secret_hash,
                                           absl::Time now) = 0;
  // CheckRedemption, the count of one use and the record of the node's key in one transaction: of
  // two at once, one gets a single-use token, and one gets a name. A refusal changes nothing.
  virtual absl::StatusOr<Redemption> Redeem(absl::string_view id, absl::string_view secret_hash,
                                            const JoiningNode& node, absl::Time now) = 0;
  // Forgets tokens that expired before `before`; joined nodes are remembered.
  virtual absl::Status Prune(absl::Time before) = 0;
  // Whether a name without a key has never joined. False after the joined nodes were lost, and
  // where they were not recorded from the first on, until SetNodesKnown.
  virtual absl::StatusOr<bool> NodesKnown() = 0;
  virtual absl::Status SetNodesKnown() = 0;
};

// Tokens and nodes in one place: a token's use and the key that it brings are one change.
class JoinStore : public TokenStore, public NodeRegistry {};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_TOKEN_STORE_H_
