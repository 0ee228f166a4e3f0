#include "services/twin-svc/runner/twin_drafts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/twin-svc/wire/reading_wire.h"

namespace skerry::twin {
namespace {

// With the properties that `write` names, or all.
TwinPtr View(const TwinPtr& twin, const Write& write, bool whole) {
  if (whole) return twin;
  auto view = std::make_shared<Twin>(Twin{.uid = twin->uid,
                                          .generation = twin->generation,
                                          .version = twin->version,
                                          .state = twin->state});
  const auto add = [&](const std::string& name) {
    const auto it = twin->properties.find(name);
    if (it != twin->properties.end()) view->properties.insert(*it);
  };
  for (const auto& [name, value] : write.desired) add(name);
  for (const auto& [name, value] : write.reported) add(name);
  for (const std::string& name : write.remove) add(name);
  return view;
}

bool Reports(const Changes& changes) {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& change) { return change.kind == Change::Kind::kReported; });
}

}  // namespace

absl::Status DeviceUnknown(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no device ", device.value(), " is bound to this node"))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

TwinDrafts::Draft* TwinDrafts::DraftOf(const DeviceName& device) {
  const auto drafted = drafts_.find(device);
  if (drafted != drafts_.end()) {
    return drafted->second.current() == nullptr ? nullptr : &drafted->second;
  }
  const TwinPtr stored = find_(device);
  if (stored == nullptr) return nullptr;
  Draft& draft = drafts_[device];
  draft.stored = stored;
  return &draft;
}

absl::StatusOr<Written> TwinDrafts::Write(const DeviceName& device, const twin::Write& write,
                                          bool whole) {
  Draft* const draft = DraftOf(device);
  if (draft == nullptr) return DeviceUnknown(device);
  Written written{.before = View(draft->current(), write, whole)};
  // No answer has it yet: it can be changed, by a write that is done whole or not at all.
  const bool own = draft->twin != nullptr && draft->twin.use_count() == 1;
  std::shared_ptr<Twin> after = own ? draft->twin : std::make_shared<Twin>(*draft->current());
  SKERRY_ASSIGN_OR_RETURN(written.changes, Apply(*after, write));
  draft->twin = std::move(after);
  draft->dirty |= !written.changes.empty() || write.id != 0;
  draft->changed |= !written.changes.empty();
  for (const Change& change : written.changes) {
    if (change.kind != Change::Kind::kState) draft->properties.insert(change.property);
  }
  if (Reports(written.changes)) {
    for (std::string& readings : ReadingsOf(draft->twin->uid, write)) {
      draft->readings.push_back(std::move(readings));
    }
  }
  written.after = View(draft->twin, write, whole);
  return written;
}

int TwinDrafts::Declare(const DeviceName& device, bool gone,
                        const std::optional<Declaration>& declaration) {
  Draft* draft = DraftOf(device);
  if (gone && draft != nullptr) {
    counters_.version_floor = std::max(counters_.version_floor, draft->current()->version);
    // What it had reported goes up all the same.
    *draft = {.readings = std::move(draft->readings), .anew = true, .dirty = true, .changed = true};
    draft = nullptr;
  }
  if (!declaration.has_value()) return 0;
  if (draft == nullptr) {
    draft = &drafts_[device];
    draft->twin = std::make_shared<Twin>();
    draft->twin->version = counters_.version_floor;
  }
  const TwinPtr former = draft->current();
  const Twin& before = *former;
  auto after = std::make_shared<Twin>(before);
  const Changes changes = twin::Declare(*after, *declaration);
  if (*after == before) return 0;
  draft->twin = std::move(after);
  draft->dirty = draft->changed = true;
  int conflicts = 0;
  for (const Change& change : changes) {
    draft->properties.insert(change.property);
    conflicts += change.kind == Change::Kind::kConflict;
  }
  // A property that is declared without a value has changed nothing, and is there from now on.
  for (const auto& [name, declared] : declaration->properties) {
    const auto it = before.properties.find(name);
    if (it == before.properties.end() || it->second != draft->twin->properties.at(name)) {
      draft->properties.insert(name);
    }
  }
  return conflicts;
}

std::vector<TwinUpdate> TwinDrafts::Updates() {
  std::vector<TwinUpdate> updates;
  for (auto& [device, draft] : drafts_) {
    if (!draft.dirty) continue;
    if (draft.changed && draft.twin != nullptr) draft.twin->revision = ++counters_.last_revision;
    if (draft.anew) updates.push_back({device, nullptr, {}, {}});
    updates.push_back({device,
                       draft.twin.get(),
                       {draft.properties.begin(), draft.properties.end()},
                       draft.readings});
  }
  return updates;
}

std::vector<TwinEvent> TwinDrafts::Events() const {
  std::vector<TwinEvent> events;
  for (const auto& [device, draft] : drafts_) {
    if (draft.dirty) events.push_back({device, draft.twin, draft.changed});
  }
  return events;
}

}  // namespace skerry::twin
