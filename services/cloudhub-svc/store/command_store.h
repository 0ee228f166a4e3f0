// Commands that wait for their nodes over restarts of the hub, and how they ended.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/command_tracker.h"

namespace skerry::cloudhub {

struct StoredCommand {
  std::string node;
  std::string key;
  std::string type;
  std::string payload;
  bool reexecutable = false;
  absl::Duration deadline;
  absl::Time create_time;
  absl::Time expire_time;
  link::CommandProgress progress;
};

// What the store of one node may hold of commands that have not ended.
struct CommandQueueBounds {
  int64_t count_max = 64;
  int64_t bytes_max = 4 << 20;  // Of payloads.
};

// The store is the truth, and may be shared by replicas: every change is conditional on what is
// there. What has ended stays as it ended. Any thread may call it. Time is the store's own: what is
// inserted expires as long after that as it says, and is told by the clock of who asks.
class CommandStore {
 public:
  virtual ~CommandStore() = default;

  // False where the node has a command of that key already; it is left as it is. RESOURCE_EXHAUSTED
  // / COMMAND_QUEUE_FULL where the node has too many.
  virtual absl::StatusOr<bool> Insert(const StoredCommand& command) = 0;
  virtual absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                            absl::string_view key) = 0;
  // What has not ended, in the order of Insert, without payloads.
  virtual absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) = 0;
  // By key, from behind `after`, without payloads and responses.
  virtual absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node,
                                                          absl::string_view after,
                                                          size_t count_max) = 0;
  // As the hub knows it that has the node's session `epoch`. False where it is not taken: there is
  // none that has not ended, or the node has a newer session, or it lies behind what is there: but
  // for an end, a start is not taken back, and nothing goes back but to kAccepted, a return.
  virtual absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                                      const link::CommandProgress& progress, uint64_t epoch) = 0;
  // By whichever hub. False where there is none that has not ended, or the box may have it.
  virtual absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                                      const link::CommandProgress& end) = 0;
  // Ends what nobody has ended within `grace` of its time, as CommandTracker::Tick does, and
  // forgets what ended longer than `retention` ago; some of it, where that is much. How many have
  // ended so.
  virtual absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_STORE_H_
