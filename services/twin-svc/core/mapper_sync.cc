#include "services/twin-svc/core/mapper_sync.h"

#include <algorithm>

namespace skerry::twin {

void MapperSync::WantModel(const std::string& name, std::string content) {
  models_.failures.erase(name);
  models_.wanted[name] = std::move(content);
}

void MapperSync::DropModel(const std::string& name) {
  models_.failures.erase(name);
  models_.wanted.erase(name);
}

void MapperSync::WantDevice(const std::string& name, std::string content) {
  devices_.failures.erase(name);
  devices_.wanted[name] = std::move(content);
}

void MapperSync::DropDevice(const std::string& name) {
  devices_.failures.erase(name);
  devices_.wanted.erase(name);
}

void MapperSync::Registered() {
  present_ = true;
  overtaken_ = under_way_.has_value();
  for (Side* side : {&models_, &devices_}) {
    side->told.clear();
    for (const auto& [name, content] : side->wanted) {
      side->told[name] = {Told::State::kHas, content};
    }
    side->failures.clear();
  }
}

void MapperSync::Lost() { present_ = false; }

std::optional<MapperSync::Call> MapperSync::Next(absl::Duration now) {
  if (!present_ || under_way_.has_value()) return std::nullopt;
  for (const auto& [side, removals] : {std::pair<Side*, bool>{&models_, false},
                                       {&devices_, true},
                                       {&devices_, false},
                                       {&models_, true}}) {
    under_way_ = NextOf(*side, removals, now);
    if (under_way_.has_value()) return under_way_;
  }
  return std::nullopt;
}

bool MapperSync::Differs(const Side& side, const std::string& name) {
  const auto wanted = side.wanted.find(name);
  const auto told = side.told.find(name);
  if (wanted == side.wanted.end()) return told != side.told.end();
  return told == side.told.end() || told->second.state != Told::State::kHas ||
         told->second.content != wanted->second;
}

std::optional<MapperSync::Call> MapperSync::NextOf(Side& side, bool removals, absl::Duration now) {
  const auto waits = [&](const std::string& name) {
    const auto failure = side.failures.find(name);
    return failure != side.failures.end() && failure->second.due > now;
  };
  if (removals) {
    for (const auto& [name, told] : side.told) {
      if (side.wanted.count(name) == 0 && !waits(name)) return Call{side.remove, name};
    }
    return std::nullopt;
  }
  for (const auto& [name, content] : side.wanted) {
    if (!Differs(side, name) || waits(name)) continue;
    const auto told = side.told.find(name);
    unsure_ = told != side.told.end() && told->second.state == Told::State::kUnsure;
    content_ = content;
    return Call{told == side.told.end() || unsure_ ? side.add : side.update, name};
  }
  return std::nullopt;
}

MapperSync::Side& MapperSync::SideOf(Kind kind) {
  const bool model =
      kind == Kind::kCreateModel || kind == Kind::kUpdateModel || kind == Kind::kRemoveModel;
  return model ? models_ : devices_;
}

void MapperSync::Done(bool ok, absl::Duration now) {
  if (!under_way_.has_value()) return;
  const Call call = *std::exchange(under_way_, std::nullopt);
  Side& side = SideOf(call.kind);
  if (std::exchange(overtaken_, false)) {
    // It may have had its effect before or after the mapper took what the registration named.
    side.told[call.name].state = Told::State::kUnsure;
    return;
  }
  if (ok) {
    side.failures.erase(call.name);
    if (call.kind == side.remove) {
      side.told.erase(call.name);
    } else if (call.kind == side.add && unsure_) {
      side.told[call.name] = {Told::State::kThere, ""};
    } else {
      side.told[call.name] = {Told::State::kHas, content_};
    }
    return;
  }
  if (call.kind != side.remove) side.told[call.name].state = Told::State::kUnsure;
  Failure& failure = side.failures[call.name];
  failure.pause = std::clamp(failure.pause * 2, kRetryMin, kRetryMax);
  failure.due = now + failure.pause;
}

absl::Duration MapperSync::NextWake() const {
  absl::Duration wake = absl::InfiniteDuration();
  if (!present_ || under_way_.has_value()) return wake;
  for (const Side* side : {&models_, &devices_}) {
    for (const auto& [name, failure] : side->failures) {
      if (Differs(*side, name)) wake = std::min(wake, failure.due);
    }
  }
  return wake;
}

size_t MapperSync::BehindOf(const Side& side) {
  size_t count = 0;
  for (const auto& [name, content] : side.wanted) count += Differs(side, name);
  for (const auto& [name, content] : side.told) count += side.wanted.count(name) == 0;
  return count;
}

size_t MapperSync::behind() const { return BehindOf(models_) + BehindOf(devices_); }

}  // namespace skerry::twin
