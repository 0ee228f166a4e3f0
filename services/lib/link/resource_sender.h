// Cloud end of one subscription: the queue of what goes down, coalesced by key, and what is in
// flight.
#ifndef SKERRY_SERVICES_LIB_LINK_RESOURCE_SENDER_H_
#define SKERRY_SERVICES_LIB_LINK_RESOURCE_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// The outcome of one push, as the owner learns it.
struct PushOutcome {
  std::string key;      // Empty for synced.
  std::string version;  // Empty for delete and synced.
  absl::Status status;
};

// Rules link-4.5 to link-4.9. An unsent change of a key is replaced in its place, so that a key
// that changes all the time neither grows the queue nor starves, and what was queued before
// `synced` stays before it. A part of CloudSession: used by its thread.
class ResourceSender {
 public:
  ResourceSender(absl::string_view type, uint64_t subscription_id)
      : type_(type), subscription_id_(subscription_id) {}

  uint64_t subscription_id() const { return subscription_id_; }

  void Push(Change change);
  // The next frame, while the unacknowledged bytes are below the window.
  std::optional<ResourceChange> Next();
  // Bytes of what Next would give; 0 where it would give nothing.
  size_t next_bytes() const;
  // Outcomes in the order of sending. A violation where the ack names what was not sent.
  absl::StatusOr<std::vector<PushOutcome>> Ack(const ResourceAck& ack);

  // Drops what is unsent and takes no more pushes: the node will be asked to subscribe anew.
  void Overflow();
  bool overflowed() const { return overflowed_; }

  // The node has acknowledged `synced`.
  bool synced() const { return synced_; }
  size_t unsent_bytes() const { return unsent_bytes_; }
  bool in_flight() const { return !in_flight_.empty(); }

 private:
  struct InFlight {
    std::string key;
    std::string version;
    size_t bytes;
  };

  const std::string type_;
  const uint64_t subscription_id_;
  std::list<Change> unsent_;
  std::map<std::string, std::list<Change>::iterator> unsent_by_key_;
  size_t unsent_bytes_ = 0;
  // The first has sequence acked_ + 1. Lists, because an empty one takes nothing: a hub has tens of
  // thousands, and nearly all are.
  std::list<InFlight> in_flight_;
  size_t in_flight_bytes_ = 0;
  uint64_t acked_ = 0;
  bool overflowed_ = false;
  bool synced_ = false;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_RESOURCE_SENDER_H_
