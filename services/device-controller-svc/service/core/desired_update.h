// What an update of a twin's desired values writes, and whether somebody was first.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_DESIRED_UPDATE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_DESIRED_UPDATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::devicecontroller {

// As it is in the cloud now.
struct DesiredEntry {
  std::optional<std::string> value;  // None: nothing is desired any more.
  uint64_t generation = 0;           // Of the Device, when it became so.
  std::string writer;
};

// A desired side that was read: of one device's, all that changed up to a generation of it.
struct DesiredEtag {
  int64_t incarnation = 0;
  uint64_t generation = 0;

  bool operator==(const DesiredEtag&) const = default;
};
std::string ToText(const DesiredEtag& etag);
// INVALID_ARGUMENT / ETAG_INVALID.
absl::StatusOr<DesiredEtag> ParseEtag(absl::string_view field, absl::string_view text);

struct DesiredUpdate {
  struct Value {
    std::optional<std::string> value;    // None or empty: none is given.
    std::optional<uint64_t> generation;  // The one that is replaced.
  };
  std::map<std::string, Value> given;
  enum class Mask {
    kGiven,   // Those that are given.
    kListed,  // Those in `listed`: without a value they are desired no more.
    kAll,     // All of the device.
  } mask = Mask::kGiven;
  std::set<std::string> listed;
  std::optional<DesiredEtag> etag;
};

// None: nothing is desired.
struct DesiredPlan {
  std::map<std::string, std::optional<std::string>> values;
  std::map<std::string, std::optional<std::string>> expected;  // At the moment of the write.
};

// INVALID_ARGUMENT where nothing is given to be written. ABORTED / DESIRED_CHANGED where a desired
// value has changed since: with "property", "version", "writer", "value" (unless there is none) and
// "refused_value" (unless nothing was to be desired). ABORTED / ETAG_MISMATCH where the etag is of
// a former device.
absl::StatusOr<DesiredPlan> PlanUpdate(const DesiredUpdate& update,
                                       const std::map<std::string, DesiredEntry>& present,
                                       int64_t incarnation);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_DESIRED_UPDATE_H_
