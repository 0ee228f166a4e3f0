// What DeviceCycle is told, and what it asks for.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_EVENTS_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_EVENTS_H_

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/mappers/lib/core/device_plan.h"

namespace skerry::mapper {

struct Value {
  std::string text;
  absl::Time at;  // When the device had it, by the wall clock.

  bool operator==(const Value&) const = default;
};

// Events.

struct Planned {
  DevicePlan plan;
  bool reconnect = false;  // The device is reached in another way from now on.
};
struct LinkChanged {
  bool up = false;  // twin-svc has registered the mapper and takes reports.
};
struct ConnectDone {
  absl::Status status;
};
struct ReadDone {
  std::string property;
  absl::StatusOr<std::string> value;
  absl::Time at;
};
struct WriteDone {
  std::string property;
  std::string value;
  absl::Status status;
  absl::Time at;
};
struct CheckDone {
  absl::Status status;
};
// A method ran: what the device holds may have changed.
struct MethodDone {};
// Of the report that is under way, of either kind.
struct ReportDone {
  absl::Status status;
};
// Time has passed.
struct Woken {};

using Event = std::variant<Planned, LinkChanged, ConnectDone, ReadDone, WriteDone, CheckDone,
                           MethodDone, ReportDone, Woken>;

// Effects. Of the first four at most one is under way, and of the last two.

// Makes a connection in place of the one there is.
struct Connect {};
struct Read {
  std::string property;
};
struct Write {
  std::string property;
  std::string value;
};
struct Check {};
struct TwinReport {
  std::string property;
  std::optional<Value> observed_desired;  // Last desired value that the device took.
  std::optional<Value> reported;
};
struct ReportTwins {
  std::vector<TwinReport> twins;
};
struct ReportState {
  bool online = false;
};

using Effect = std::variant<Connect, Read, Write, Check, ReportTwins, ReportState>;
using Effects = std::vector<Effect>;

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_EVENTS_H_
