// Whether a device can be reached, as who speaks with it says.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_DEVICE_STATE_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_DEVICE_STATE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::twin {

struct StateReport {
  std::string state;   // "online", "offline", or whatever its mapper says.
  std::string reason;  // Empty, or why.
  std::string writer;
  absl::Time time;  // Of the box.
  // Of one who has not spoken with the device, and only knows what was said: nothing changes unless
  // this is the state and its writer, and the device was not seen by it.
  struct Said {
    std::string state;
    std::string writer;

    bool operator==(const Said&) const = default;
  };
  std::optional<Said> in_place_of = std::nullopt;

  bool operator==(const StateReport&) const = default;
};

struct DeviceState {
  static constexpr size_t kStateBytesMax = 64;
  static constexpr size_t kReasonBytesMax = 1024;
  // A device that stays online is noted as seen again after that time: whoever says so every few
  // seconds costs no write.
  static constexpr absl::Duration kSeenInterval = absl::Minutes(5);

  std::string state = "unknown";
  std::string reason;
  std::optional<absl::Time> change_time;  // None: nothing was said of it.
  std::optional<absl::Time> last_seen;    // When it last was online, but for kSeenInterval.
  std::string writer;

  bool operator==(const DeviceState&) const = default;
};

// All are pure.

// "online" or "ok", in whatever case: what KubeEdge's MQTT clients write.
bool MeansOnline(absl::string_view state);

// INVALID_ARGUMENT names `state` or `reason`, the value and the bound.
absl::Status CheckStateReport(const StateReport& report);

// True where it is another state, or the same after so long that it is to be stored.
bool ReportState(DeviceState& state, const StateReport& report);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_DEVICE_STATE_H_
