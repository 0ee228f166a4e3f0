// What a handler may know of the call it serves.
#ifndef SKERRY_SERVICES_LIB_RPC_CALL_SCOPE_H_
#define SKERRY_SERVICES_LIB_RPC_CALL_SCOPE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace skerry::rpc {

// Identity of the caller, from its certificate or its token alone (never from a field it sends).
struct PeerIdentity {
  // The certificate's CN, or whose the token is. Empty on Unix sockets and plaintext.
  std::string common_name;
  std::vector<std::string> organizations;
  // SHA-256 of the certificate's public key (SubjectPublicKeyInfo), lower-case hex.
  std::string key_hash;
  std::string address;  // "ipv4:127.0.0.1:3333", "unix:".
};

struct CallScope {
  absl::Time deadline = absl::InfiniteFuture();
  std::shared_ptr<std::atomic<bool>> cancelled;  // Null where the call can't be cancelled.
  PeerIdentity peer;

  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(); }
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_CALL_SCOPE_H_
