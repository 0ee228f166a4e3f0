// What a tunnel and its user say to each other; the same at both ends of the link.
#ifndef SKERRY_SERVICES_LIB_LINK_TUNNEL_EVENTS_H_
#define SKERRY_SERVICES_LIB_LINK_TUNNEL_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/status.h"

namespace skerry::link::tunnel {

struct Bytes {
  std::string bytes;
};
// Nothing more comes from this side.
struct HalfClose {};
// The tunnel is over. To the user: the last message; OK where both sides had half-closed.
struct End {
  absl::Status status;
};

// The user took this many bytes of what it was given: the peer may send as many more.
struct Consumed {
  size_t bytes = 0;
};
using UserEvent = std::variant<Bytes, Consumed, HalfClose, End>;
struct FromUser {
  uint64_t tunnel = 0;
  UserEvent body;
};

// The peer's user is there.
struct Opened {};
// One Bytes of the user went out: there is room for another.
struct Taken {};
using UserMessage = std::variant<Opened, Bytes, Taken, HalfClose, End>;
struct ToUser {
  uint64_t tunnel = 0;
  UserMessage body;
};

// A user, as a hub sees it. Any thread may call it; it does not block.
class UserPort {
 public:
  virtual ~UserPort() = default;
  virtual void Tell(UserMessage message) = 0;
};

}  // namespace skerry::link::tunnel

#endif  // SKERRY_SERVICES_LIB_LINK_TUNNEL_EVENTS_H_
