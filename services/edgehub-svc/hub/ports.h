// What the hub asks of its transports: a link to the cloud, and a stream to a spoke.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_HUB_PORTS_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_HUB_PORTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

// What a link tells, on any thread, one at a time; on_closed last and once. They only post, and may
// be called when who dialled is gone.
struct LinkEvents {
  std::function<void(link::CloudFrame, size_t bytes)> on_frame;
  std::function<void(absl::Status)> on_invalid;  // A frame that breaks a bound.
  std::function<void(absl::Status)> on_closed;
  std::function<void()> on_drained;  // Answers AwaitDrained.
};

// One connection to the cloud. None of these blocks.
class CloudLink {
 public:
  virtual ~CloudLink() = default;
  virtual void Send(link::EdgeFrame frame) = 0;
  virtual void Close(absl::Status status) = 0;
  // One frame given to on_frame is done with; reading pauses when too many are not.
  virtual void Consumed() = 0;
  // on_drained is to be called, once, when the transport has taken all that was sent.
  virtual void AwaitDrained() = 0;
};

class CloudDialer {
 public:
  virtual ~CloudDialer() = default;
  // What can't be opened shows as on_closed.
  virtual std::shared_ptr<CloudLink> Dial(LinkEvents events) = 0;
};

struct LinkStateChange {
  bool connected = false;
  absl::Time change_time;
  std::string reason;
};
struct ReportStored {
  uint64_t request_id = 0;
  absl::Status status;
};
struct EventsStored {
  uint64_t request_id = 0;
  uint32_t stored = 0;  // That many from the first.
  absl::Status status;  // Why the next is not.
};
using SpokeMessage =
    std::variant<LinkStateChange, link::edge::SubscribeRequest, link::ResourceChange, ReportStored,
                 EventsStored, link::edge::CommandRequest, link::edge::TunnelRequest>;

class SpokePort {
 public:
  virtual ~SpokePort() = default;
  virtual void Send(SpokeMessage message) = 0;
  virtual void Close(absl::Status status) = 0;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_HUB_PORTS_H_
