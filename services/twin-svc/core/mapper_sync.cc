#include "services/twin-svc/core/mapper_sync.h"

#include <algorithm>

namespace skerry::twin {

void MapperSync::Failure::Add(absl::Duration now) {
  pause = std::clamp(pause * 2, kRetryMin, kRetryMax);
  due = now + pause;
}

void MapperSync::WantModel(const std::string& name, std::string content) {
  Want(models_, name, std::move(content));
}

void MapperSync::DropModel(const std::string& name) { Want(models_, name, std::nullopt); }

void MapperSync::WantDevice(const std::string& name, std::string content) {
  Want(devices_, name, std::move(content));
}

void MapperSync::DropDevice(const std::string& name) { Want(devices_, name, std::nullopt); }

void MapperSync::Want(Side& side, const std::string& name, std::optional<std::string> content) {
  side.failures.erase(name);
  if (content.has_value()) {
    side.wanted[name] = *std::move(content);
  } else {
    side.wanted.erase(name);
  }
  Compare(side, name);
}

void MapperSync::Compare(Side& side, const std::string& name) {
  const auto wanted = side.wanted.find(name);
  const auto told = side.told.find(name);
  bool differs = told != side.told.end();
  if (wanted != side.wanted.end()) {
    differs = !differs || told->second.state != Known::State::kHas ||
              told->second.content != wanted->second;
  }
  if (differs) {
    side.differing.insert(name);
  } else {
    side.differing.erase(name);
  }
}

void MapperSync::SetTold(Side& side, const std::string& name, std::optional<Known> told) {
  if (told.has_value()) {
    side.told[name] = *std::move(told);
  } else {
    side.told.erase(name);
  }
  side.changed.insert(name);
  Compare(side, name);
}

void MapperSync::Registered(const LeftOut& left_out) {
  present_ = true;
  whole_ = true;
  away_ = {};
  overtaken_ = under_way_.has_value();
  for (Side* side : {&models_, &devices_}) {
    for (const auto& [name, told] : std::exchange(side->told, {})) {
      side->changed.insert(name);
      Compare(*side, name);
    }
    for (const auto& [name, content] : side->wanted) {
      if ((side == &devices_ ? left_out.devices : left_out.models).count(name) > 0) continue;
      SetTold(*side, name, Known{Known::State::kHas, content});
    }
    side->failures.clear();
  }
  // The call may have its effect before or after the mapper takes what the answer names.
  if (overtaken_) SetTold(SideOf(under_way_->kind), under_way_->name, Known{});
}

void MapperSync::Restore(const std::vector<Told>& told, bool whole) {
  present_ = true;
  whole_ = whole;
  for (const Told& each : told) {
    if (!each.content.has_value()) continue;
    Side& side = each.model ? models_ : devices_;
    side.told[each.name] =
        each.content->empty() ? Known{} : Known{Known::State::kHas, *each.content};
    Compare(side, each.name);
  }
}

std::vector<MapperSync::Told> MapperSync::TakeTold() {
  std::vector<Told> changes;
  for (Side* side : {&models_, &devices_}) {
    for (const std::string& name : std::exchange(side->changed, {})) {
      Told& change = changes.emplace_back(Told{side == &models_, name, std::nullopt});
      const auto told = side->told.find(name);
      if (told == side->told.end()) continue;
      change.content = told->second.state == Known::State::kHas ? told->second.content : "";
    }
  }
  return changes;
}

std::optional<MapperSync::Call> MapperSync::Next(absl::Duration now) {
  if (!present_ || under_way_.has_value() || away_.due > now) return std::nullopt;
  for (const auto& [side, removals] : {std::pair<Side*, bool>{&models_, false},
                                       {&devices_, true},
                                       {&devices_, false},
                                       {&models_, true}}) {
    under_way_ = NextOf(*side, removals, now);
    if (!under_way_.has_value()) continue;
    SetTold(*side, under_way_->name, Known{});
    return under_way_;
  }
  return std::nullopt;
}

const std::string* MapperSync::Due(const Side& side, bool removals, absl::Duration now) {
  const std::string* again = nullptr;
  for (const std::string& name : side.differing) {
    if ((side.wanted.count(name) == 0) != removals) continue;
    const auto failure = side.failures.find(name);
    if (failure == side.failures.end()) return &name;
    if (again == nullptr && failure->second.due <= now) again = &name;
  }
  return again;
}

std::optional<MapperSync::Call> MapperSync::NextOf(Side& side, bool removals, absl::Duration now) {
  const std::string* const name = Due(side, removals, now);
  if (name == nullptr) return std::nullopt;
  if (removals) return Call{side.remove, *name};
  const auto told = side.told.find(*name);
  const bool unknown = told == side.told.end();
  unsure_ = unknown ? !whole_ : told->second.state == Known::State::kUnsure;
  content_ = side.wanted.at(*name);
  return Call{unknown || unsure_ ? side.add : side.update, *name};
}

MapperSync::Side& MapperSync::SideOf(Kind kind) {
  const bool model =
      kind == Kind::kCreateModel || kind == Kind::kUpdateModel || kind == Kind::kRemoveModel;
  return model ? models_ : devices_;
}

MapperSync::Call MapperSync::EndCall() {
  const Call call = *std::exchange(under_way_, std::nullopt);
  SetTold(SideOf(call.kind), call.name, Known{});
  return call;
}

void MapperSync::Done(bool ok, absl::Duration now) {
  if (!under_way_.has_value()) return;
  const Call call = EndCall();
  Side& side = SideOf(call.kind);
  away_ = {};
  if (std::exchange(overtaken_, false)) return;
  if (!ok) return side.failures[call.name].Add(now);
  side.failures.erase(call.name);
  if (call.kind == side.remove) {
    SetTold(side, call.name, std::nullopt);
  } else if (call.kind == side.add && unsure_) {
    SetTold(side, call.name, Known{Known::State::kThere, ""});
  } else {
    SetTold(side, call.name, Known{Known::State::kHas, content_});
  }
}

void MapperSync::Away(absl::Duration now) {
  if (!under_way_.has_value()) return;
  const Call call = EndCall();
  if (std::exchange(overtaken_, false)) return;
  away_.Add(now);
  SideOf(call.kind).failures[call.name].Add(now);
}

absl::Duration MapperSync::NextWake() const {
  absl::Duration wake = absl::InfiniteDuration();
  if (!present_ || under_way_.has_value()) return wake;
  for (const Side* side : {&models_, &devices_}) {
    for (const std::string& name : side->differing) {
      const auto failure = side->failures.find(name);
      if (failure != side->failures.end()) {
        wake = std::min(wake, std::max(failure->second.due, away_.due));
      } else if (away()) {
        wake = std::min(wake, away_.due);
      }
    }
  }
  return wake;
}

}  // namespace skerry::twin
