#include "services/twin-svc/core/device_state.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::twin {

bool MeansOnline(absl::string_view state) {
  return absl::EqualsIgnoreCase(state, "online") || absl::EqualsIgnoreCase(state, "ok");
}

absl::Status CheckStateReport(const StateReport& report) {
  if (report.state.empty() || report.state.size() > DeviceState::kStateBytesMax) {
    return InvalidField("state", report.state.substr(0, DeviceState::kStateBytesMax),
                        absl::StrCat("give 1 to ", DeviceState::kStateBytesMax, " bytes"));
  }
  if (report.reason.size() > DeviceState::kReasonBytesMax) {
    return InvalidField("reason", absl::StrCat(report.reason.size(), " bytes"),
                        absl::StrCat("give at most ", DeviceState::kReasonBytesMax));
  }
  return absl::OkStatus();
}

bool ReportState(DeviceState& state, const StateReport& report) {
  if (report.in_place_of.has_value() &&
      *report.in_place_of != StateReport::Said{state.state, state.writer}) {
    return false;
  }
  const bool online = MeansOnline(report.state) && !report.in_place_of.has_value();
  const bool other = !state.change_time.has_value() || state.state != report.state ||
                     state.reason != report.reason;
  // Whichever way the clock was set.
  const bool seen =
      online && (!state.last_seen.has_value() ||
                 absl::AbsDuration(report.time - *state.last_seen) >= DeviceState::kSeenInterval);
  if (!other && !seen) return false;
  if (online) state.last_seen = report.time;
  if (!other) return true;
  if (!state.change_time.has_value() || state.state != report.state) {
    state.change_time = report.time;
  }
  state.state = report.state;
  state.reason = report.reason;
  state.writer = report.writer;
  return true;
}

}  // namespace skerry::twin
