#include "services/twin-svc/dmi/away_states.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/twin-svc/core/device_state.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {
namespace {

constexpr char kOnline[] = "online";
constexpr char kUnknown[] = "unknown";
constexpr char kWriter[] = "twin-svc";

bool WasGivenHere(const DeviceState& state) {
  return state.state == kUnknown && state.writer == kWriter;
}

}  // namespace

void AwayStates::Update(const DeviceName& device, const std::string& mapper,
                        MapperPresence::State presence, const Failed& failed) {
  const absl::StatusOr<TwinPtr> twin = twins_.Get(device);
  if (!twin.ok()) {
    former_.erase(device);
    return;
  }
  const DeviceState& state = (*twin)->state;
  StateReport report{.writer = kWriter,
                     .time = clock_.Now(),
                     .in_place_of = StateReport::Said{state.state, state.writer}};
  if (presence == MapperPresence::State::kAway && MeansOnline(state.state)) {
    if (state.state == kOnline) {
      former_.erase(device);
    } else {
      former_[device] = state.state;
    }
    report.state = kUnknown;
    report.reason = absl::StrCat("mapper ", mapper, " is away");
    Submit(device, std::move(report), failed);
  } else if (presence == MapperPresence::State::kThere && WasGivenHere(state)) {
    const auto former = former_.find(device);
    report.state = former == former_.end() ? kOnline : former->second;
    Submit(device, std::move(report), failed);
  }
}

void AwayStates::Submit(const DeviceName& device, StateReport report, const Failed& failed) {
  twins_.Submit(device, Write{.state = std::move(report)}, false,
                [failed](const absl::StatusOr<Written>& written) {
                  if (!written.ok() && !absl::IsNotFound(written.status())) *failed = true;
                });
}

}  // namespace skerry::twin
