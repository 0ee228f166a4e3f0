// What a client's request to be upgraded asks for, and the answer. Pure.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_UPGRADE_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_UPGRADE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/remote_status.h"

namespace skerry::edged {

struct Upgrade {
  enum class Transport {
    kSpdy,
    kWebSocket,        // Numbered channels.
    kWebSocketTunnel,  // SPDY within a WebSocket's messages.
  };
  Transport transport = Transport::kSpdy;
  std::string protocol;                       // "v4.channel.k8s.io".
  StatusFormat status = StatusFormat::kJson;  // Of exec and attach.
  bool resizes = true;                        // v3 and later have a stream for it.
  bool peer_closes = false;                   // v5: the client can end a channel.
  std::string answer;                         // The head, with its empty line.
};

// `headers`: names in lower case, repeated ones joined with ", ". The protocol is the first of the
// client's that is served here. INVALID_ARGUMENT (NOT_AN_UPGRADE) or PERMISSION_DENIED
// (PROTOCOL_UNKNOWN), which says what is served.
absl::StatusOr<Upgrade> NegotiateUpgrade(StreamRequest::Kind kind,
                                         const std::map<std::string, std::string>& headers);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_UPGRADE_H_
