#include "services/twin-svc/core/report_plan.h"

#include <algorithm>

namespace skerry::twin {

void ReportPlan::Place(const DeviceName& device, const Entry& entry) {
  if (!entry.under_way) (entry.due ? due_ : quiet_).emplace(entry.ready, device);
}

void ReportPlan::Remove(const DeviceName& device, const Entry& entry) {
  if (!entry.under_way) (entry.due ? due_ : quiet_).erase({entry.ready, device});
}

void ReportPlan::Changed(const DeviceName& device, absl::Duration now) {
  const auto [it, added] = entries_.try_emplace(device, Entry{.ready = now});
  Entry& entry = it->second;
  if (entry.due) return;
  if (!added) Remove(device, entry);
  entry.due = true;
  waiting_ += entry.under_way;
  Place(device, entry);
}

void ReportPlan::Gone(const DeviceName& device) {
  const auto it = entries_.find(device);
  if (it == entries_.end()) return;
  Entry& entry = it->second;
  if (entry.under_way) {
    waiting_ -= std::exchange(entry.due, false);
    return;
  }
  Remove(device, entry);
  entries_.erase(it);
}

std::optional<DeviceName> ReportPlan::Next(absl::Duration now) {
  while (!quiet_.empty() && quiet_.begin()->first <= now) {
    entries_.erase(quiet_.begin()->second);
    quiet_.erase(quiet_.begin());
  }
  if (under_way_ >= under_way_max_ || due_.empty() || due_.begin()->first > now) {
    return std::nullopt;
  }
  const DeviceName device = due_.begin()->second;
  due_.erase(due_.begin());
  Entry& entry = entries_.at(device);
  entry = {.ready = now + interval_, .under_way = true};
  ++under_way_;
  return device;
}

void ReportPlan::Done(const DeviceName& device, bool again, absl::Duration pause,
                      absl::Duration now) {
  const auto it = entries_.find(device);
  if (it == entries_.end() || !it->second.under_way) return;
  Entry& entry = it->second;
  --under_way_;
  waiting_ -= entry.due;
  entry.under_way = false;
  if (again) {
    entry.due = true;
    entry.ready = now + pause;
  }
  Place(device, entry);
}

absl::Duration ReportPlan::NextWake() const {
  if (due_.empty() || under_way_ >= under_way_max_) return absl::InfiniteDuration();
  return due_.begin()->first;
}

}  // namespace skerry::twin
