// What edged remembers of pods over restarts of itself and of the box.
#ifndef SKERRY_SERVICES_EDGED_SVC_STORE_CHECKPOINT_STORE_H_
#define SKERRY_SERVICES_EDGED_SVC_STORE_CHECKPOINT_STORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/backoff.h"

namespace skerry::edged {

struct PodCheckpoint {
  std::string uid, name_space, name;
  std::string status_json;  // As last computed: start time, restart counts, last states, the end of
                            // a finished pod.
  std::map<std::string, Backoff> crashes;  // By container.
  int64_t grace_seconds =
      30;  // To end it with, should it be gone from the store when edged comes back.

  bool operator==(const PodCheckpoint&) const = default;
};

// Any thread may call it. A write that returned OK survives the end of the process; a power cut may
// take the last ones.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  virtual absl::Status Put(const PodCheckpoint& checkpoint) = 0;
  // OK where there is none.
  virtual absl::Status Delete(absl::string_view uid) = 0;
  // In the order of uids. A record that can't be read is left out.
  virtual absl::StatusOr<std::vector<PodCheckpoint>> Load() = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STORE_CHECKPOINT_STORE_H_
