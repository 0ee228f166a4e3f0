// Where the twins of a box's devices are kept.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_STORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

struct StoredTwins {
  std::map<DeviceName, Twin> twins;
  // At least the version of every twin that was deleted: one that comes back begins above it.
  uint64_t version_floor = 0;
};

// What a Save stores of one twin.
struct TwinUpdate {
  DeviceName device;
  const Twin* twin = nullptr;           // Null: it is deleted, with all that it has.
  std::vector<std::string> properties;  // That are to be as in `twin`: written, or removed.
};

// Whatever returned OK survives a crash of the process and a loss of power. One thread at a time.
class TwinStore {
 public:
  virtual ~TwinStore() = default;
  virtual absl::StatusOr<StoredTwins> Load() = 0;
  // All of the updates or none, in order. RESOURCE_EXHAUSTED / DATABASE_FULL.
  virtual absl::Status Save(const std::vector<TwinUpdate>& updates) = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_STORE_H_
