// Where the twins of a box's devices are kept, and what was reported of them.
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
  std::map<DeviceName, uint64_t> reported;  // Revisions that edgehub-svc has.
};

// What a Save stores of one twin.
struct TwinUpdate {
  DeviceName device;
  const Twin* twin = nullptr;           // Null: it is deleted, with all but its readings.
  std::vector<std::string> properties;  // That are to be as in `twin`: written, or removed.
  // Serialized v1::Readings of the device, in order: each gets the next sequence.
  std::vector<std::string> readings;
};

// How far it is with what goes up.
struct Progress {
  std::map<DeviceName, uint64_t> reported;  // Revisions. Those of twins that are gone are ignored.
  uint64_t readings_sent = 0;               // Sequence; up to there edgehub-svc has them.
};

struct ReadingState {
  std::string producer;  // Names the file: sequences count within it.
  uint64_t last = 0;     // Sequence.
  uint64_t sent = 0;     // As the last Progress said, or beyond, where some were dropped.
  int64_t bytes = 0;     // Of those that are kept.
  // Since the start: that were dropped before they were sent.
  uint64_t dropped_full = 0;       // For newer ones, at the bound.
  uint64_t dropped_disk_full = 0;  // For anything else.
  uint64_t dropped_expired = 0;

  uint64_t unsent() const { return last - sent; }  // With those that were dropped.
};

// Whatever returned OK survives a crash of the process and a loss of power. One thread at a time.
class TwinStore {
 public:
  virtual ~TwinStore() = default;
  virtual absl::StatusOr<StoredTwins> Load() = 0;
  // All of the updates or none, in order. RESOURCE_EXHAUSTED / DATABASE_FULL, where dropping the
  // oldest readings makes no room either.
  virtual absl::Status Save(const std::vector<TwinUpdate>& updates) = 0;

  virtual const ReadingState& readings() const = 0;
  // Of all that is kept; 0 where that can't be told.
  virtual int64_t SizeBytes() = 0;
  virtual absl::Status SaveProgress(const Progress& progress) = 0;
  // Drops some of the readings that are older than the bound. True: there are further ones. To be
  // called now and then: a crash takes back the ageing since the last call.
  virtual absl::StatusOr<bool> DropExpiredReadings() = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_STORE_H_
