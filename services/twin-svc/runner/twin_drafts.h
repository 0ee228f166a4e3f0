// The twins that one commit changes.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DRAFTS_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DRAFTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

// A twin as it is at some time; it does not change any more.
using TwinPtr = std::shared_ptr<const Twin>;

// What a write did: the twin with the properties that the write names, or all of them.
struct Written {
  TwinPtr before;
  TwinPtr after;
  Changes changes;
};

// What a commit did to a device: its newest twin, or null where it is gone.
struct TwinEvent {
  DeviceName device;
  TwinPtr twin;
  bool changed = true;  // More than the ids of writes.
};

// NOT_FOUND / DEVICE_UNKNOWN.
absl::Status DeviceUnknown(const DeviceName& device);

// What writes and declarations make of the twins that there are, until it is stored. One thread.
class TwinDrafts {
 public:
  // What outlives a commit, also one that fails.
  struct Counters {
    uint64_t version_floor = 0;  // As in StoredTwins.
    uint64_t last_revision = 0;  // Of all twins, ever.
  };
  // The twin that is stored, or null.
  using Find = std::function<TwinPtr(const DeviceName& device)>;

  // `counters` outlives it.
  TwinDrafts(Find find, Counters& counters) : find_(std::move(find)), counters_(counters) {}

  // DEVICE_UNKNOWN, the errors of twin::Apply.
  absl::StatusOr<Written> Write(const DeviceName& device, const twin::Write& write, bool whole);
  // `gone`: it was unbound before. Returns how many conflicts that made.
  int Declare(const DeviceName& device, bool gone, const std::optional<Declaration>& declaration);

  // What is to be stored. Valid as long as this is, and unchanged.
  std::vector<TwinUpdate> Updates();
  // Once it is stored.
  std::vector<TwinEvent> Events() const;

 private:
  struct Draft {
    TwinPtr stored;              // Null: deleted, or it was not there.
    std::shared_ptr<Twin> twin;  // What came of it; null: nothing yet. Answers share it.
    TwinPtr current() const { return twin == nullptr ? stored : TwinPtr(twin); }

    std::set<std::string> properties;
    std::vector<std::string> readings;
    bool anew = false;     // Its rows are deleted first.
    bool dirty = false;    // There is something to store.
    bool changed = false;  // And to tell.
  };

  // Begun from what is stored; null where there is no twin.
  Draft* DraftOf(const DeviceName& device);

  const Find find_;
  Counters& counters_;
  std::map<DeviceName, Draft> drafts_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_TWIN_DRAFTS_H_
