#include "services/twin-svc/dmi/mapper_watch.h"

#include <algorithm>

namespace skerry::twin {
namespace {

constexpr size_t kDevicesAtOnce = 1000;
constexpr absl::Duration kPauseMax = absl::Seconds(1);
constexpr absl::Duration kPatienceMax = absl::Seconds(5);

}  // namespace

absl::Duration MapperWatch::pause() const { return std::min(kPauseMax, context_.away_after / 4); }

absl::Duration MapperWatch::patience() const {
  return std::min(kPatienceMax, context_.away_after / 2);
}

void MapperWatch::Registered() { presence_.Registered(); }

void MapperWatch::OnAsked(bool answered, absl::Duration asked, absl::Duration now) {
  if (context_.reported()) presence_.Reported();
  if (answered) {
    presence_.Answered(now);
  } else {
    presence_.Silent(asked, now);
  }
  const bool changed = std::exchange(swept_, presence_.state()) != presence_.state();
  // Once more from the beginning: what is as it should be costs a look.
  if (failed_->exchange(false) || changed) {
    sweeping_ = true;
    last_.reset();
  }
  if (sweeping_) Sweep();
}

void MapperWatch::Sweep() {
  const std::vector<DeviceName> devices = context_.devices(last_, kDevicesAtOnce);
  for (const DeviceName& device : devices) Update(device);
  sweeping_ = devices.size() == kDevicesAtOnce;
  if (sweeping_) last_ = devices.back();
}

void MapperWatch::Update(const DeviceName& device) {
  if (presence_.state() == MapperPresence::State::kComing) return;
  context_.states.Update(device, mapper_, presence_.state(), failed_);
}

}  // namespace skerry::twin
