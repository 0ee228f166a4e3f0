// The twin of one device on its box: what is desired, what is reported, and how both change.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_TWIN_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_TWIN_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/twin-svc/core/device_state.h"
#include "services/twin-svc/core/held.h"

namespace skerry::twin {

// A value, who wrote it, and when by the writer's box. Times are for people: nothing is ordered by
// them (ADR 11).
struct Value {
  std::string value;
  std::map<std::string, std::string> metadata;
  std::string writer;
  absl::Time time;

  bool operator==(const Value&) const = default;
};

// What the cloud declares of a property: `spec.properties[]` of its Device.
struct Declared {
  std::optional<Value> desired;

  bool operator==(const Declared&) const = default;
};

// A Device, as far as its twin depends on it.
struct Declaration {
  std::string uid;         // Of the Kubernetes object: a device that was made anew has another one.
  int64_t generation = 0;  // Of its spec.
  std::map<std::string, Declared> properties;
};

// A desired value that was written on the box, and that the cloud's has replaced since, which its
// writer can't have seen.
struct Conflict {
  Value local;
  std::optional<Value> cloud;  // None: the cloud took its desired value away.
  int64_t generation = 0;      // Of the declaration that brought it.

  bool operator==(const Conflict&) const = default;
};

// A version is that of the twin when the value last changed: it only goes up, also where a property
// is removed and comes back. 0: never.
struct Property {
  bool declared = false;  // By the cloud; else an MQTT client made it.
  Held<Value> cloud;      // The last desired value that was declared.
  Held<Value> local;      // Written on the box since; holds until the cloud's changes.
  Held<Value> reported;
  Held<Conflict> conflict;  // The last one, until somebody writes on the box again.
  uint64_t desired_version = 0;
  uint64_t reported_version = 0;

  // What the device should be at.
  const Held<Value>& desired() const { return local.has_value() ? local : cloud; }
  // Something is desired, and not what is reported.
  bool differs() const {
    return desired().has_value() && (!reported.has_value() || reported->value != desired()->value);
  }

  bool operator==(const Property&) const = default;
};

struct Twin {
  // Beyond, what would be one more is refused (TWIN_FULL).
  static constexpr size_t kPropertiesMax = 1000;
  // Of all values with their metadata, as far as they are written on the box: a twin goes as one
  // message. Beyond, a write is refused (TWIN_FULL).
  static constexpr size_t kBytesMax = 1u << 20;
  // A redelivery is known among the last so many writes that had an id.
  static constexpr size_t kWriteIdsMax = 32;

  std::string uid;
  int64_t generation = 0;
  uint64_t version = 0;  // Goes up by one with every change of a value or of the state.
  // Of the last change that others are told of, among those of all twins of the box: whoever keeps
  // it knows later whether the twin is another one. Given by who stores the twin.
  uint64_t revision = 0;
  std::map<std::string, Property> properties;
  std::vector<uint64_t> write_ids;  // The newest last.
  DeviceState state;

  bool operator==(const Twin&) const = default;
};

// One thing that changed, and what it is now.
struct Change {
  enum class Kind { kDesired, kReported, kConflict, kRemoved, kState };
  Kind kind;
  std::string property;  // Empty for kState.

  bool operator==(const Change&) const = default;
};

using Changes = std::vector<Change>;

// A write on the box: of a mapper, an MQTT client, a local program; all of it or nothing.
struct Write {
  uint64_t id = 0;  // Of a name of this write that its sender gives no other one; 0: it has none.
  // A desired value of nullopt: the cloud's holds again. One that is there already stays whose it
  // is.
  std::map<std::string, std::optional<Value>> desired;
  std::map<std::string, Value> reported;
  // Of desired values: what the writer believes to replace.
  std::map<std::string, uint64_t> expected_versions;
  std::set<std::string> remove;  // Properties that no Device declares.
  std::optional<StateReport> state;
};

// All are pure. What is stated of order is D1: a property never goes back to what was replaced.

// The cloud's Device came, now or again. One of an earlier generation, or the same one, changes
// nothing. A desired value that differs from the last declared one replaces also what was written
// on the box since; where the two differ, that is a conflict. A property that is no longer
// declared, or was of a device that has been made anew, is removed.
Changes Declare(Twin& twin, const Declaration& device);

// ABORTED / DESIRED_CHANGED names the property, its version, its value and writer, and the value
// that was refused, where an expected version is another one. FAILED_PRECONDITION /
// PROPERTY_DECLARED where one that is to be removed is declared; one that is not there is no error.
// RESOURCE_EXHAUSTED / TWIN_FULL. A write whose id is among the last is a redelivery, and changes
// nothing.
absl::StatusOr<Changes> Apply(Twin& twin, const Write& write);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_TWIN_H_
