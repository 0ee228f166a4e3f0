// Turns what the cloud sends of each resource type into changes of the box's store.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_MACHINE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/edge-meta-svc/core/batch.h"

namespace skerry::edgemeta {

// One message of a subscription, as the hub relays it.
struct ResourceEvent {
  struct Upsert {
    std::string key;
    std::string version;
    std::string object;
  };
  struct Delete {
    std::string key;
  };
  struct Synced {};

  std::string type;
  uint64_t subscription_id = 0;
  uint64_t sequence = 0;
  std::variant<std::monostate, Upsert, Delete, Synced> change;
};

// What happened to one event.
enum class Folded {
  kTaken,     // Is in the batch, or staged.
  kRejected,  // The object was refused; a rejection is in the batch.
  kStale,     // Of a subscription that has ended: ignored.
};

// Holds, per type, the running subscription and the deletes that wait for its `synced`. An upsert
// takes effect at once; a delete before `synced` is staged, because only a complete answer of the
// cloud may take something from a box. A new subscription discards what was staged. One thread uses
// it.
class SyncMachine {
 public:
  // staged_max: keys staged per type; more end the stream.
  explicit SyncMachine(size_t object_bytes_max, size_t staged_max = 100000);

  // The stream to the hub was lost: every subscription ends.
  void Reset();
  // A subscription of `type` begins.
  void Subscribe(absl::string_view type, uint64_t subscription_id);

  // Adds the event's effects to `batch`, which the owner commits, then acknowledges. An error means
  // that the hub broke the protocol: the batch so far stands, the stream must end. INVALID_ARGUMENT
  // / SEQUENCE_GAP, RESOURCE_EXHAUSTED / STAGED_FULL.
  absl::Status Fold(ResourceEvent event, Batch& batch, Folded& folded);

  // The cloud has named all of the type in the running subscription.
  bool synced(absl::string_view type) const;

 private:
  struct Subscription {
    uint64_t id = 0;
    uint64_t last_sequence = 0;
    bool synced = false;
    std::set<std::string> staged_deletes;
  };

  const size_t object_bytes_max_;
  const size_t staged_max_;
  std::map<std::string, Subscription> subscriptions_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_MACHINE_H_
