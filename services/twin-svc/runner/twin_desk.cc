#include "services/twin-svc/runner/twin_desk.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/device_spec.h"

namespace skerry::twin {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);  // Of what must be stored, after a failure.
constexpr size_t kShownMax = 128;                    // Of a name, in an error.

Error Unknown(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no device ", device.value(), " is bound to this node"))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

absl::Status CheckName(absl::string_view name) {
  if (device::IsPropertyName(name)) return absl::OkStatus();
  return InvalidField("property", name.substr(0, kShownMax),
                      "give 1 to 128 characters of A-Z a-z 0-9 - _ . , : / @ #")
      .Reason("PROPERTY_NAME");
}

size_t BytesOf(const Value& value) {
  size_t bytes = sizeof(Value) + value.value.size() + value.writer.size();
  for (const auto& [key, text] : value.metadata) bytes += key.size() + text.size() + 64;
  return bytes;
}

size_t BytesOf(const Write& write) {
  size_t bytes = sizeof(Write) + write.id.size();
  for (const auto& [name, value] : write.desired) {
    bytes += name.size() + (value.has_value() ? BytesOf(*value) : 0) + 64;
  }
  for (const auto& [name, value] : write.reported) bytes += name.size() + BytesOf(value) + 64;
  return bytes;
}

// With the properties that `write` names, or all.
Twin View(const Twin& twin, const Write& write, bool whole) {
  if (whole) return twin;
  Twin view{.uid = twin.uid, .generation = twin.generation, .version = twin.version};
  const auto add = [&](const std::string& name) {
    const auto it = twin.properties.find(name);
    if (it != twin.properties.end()) view.properties.insert(*it);
  };
  for (const auto& [name, value] : write.desired) add(name);
  for (const auto& [name, value] : write.reported) add(name);
  return view;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TwinDesk>> TwinDesk::Create(TwinStore& store, const Bounds& bounds,
                                                           Clock& clock, TwinMetrics& metrics,
                                                           Observer observer) {
  SKERRY_ASSIGN_OR_RETURN(StoredTwins stored, store.Load());
  std::unique_ptr<TwinDesk> desk(new TwinDesk(store, bounds, clock, metrics, std::move(observer)));
  desk->version_floor_ = stored.version_floor;
  absl::MutexLock lock(&desk->mutex_);
  for (auto& [device, twin] : stored.twins) {
    desk->twins_[device] = std::make_shared<const Twin>(std::move(twin));
  }
  metrics.devices.Set(static_cast<double>(desk->twins_.size()));
  return desk;
}

TwinDesk::TwinDesk(TwinStore& store, const Bounds& bounds, Clock& clock, TwinMetrics& metrics,
                   Observer observer)
    : store_(store),
      bounds_(bounds),
      metrics_(metrics),
      observer_(std::move(observer)),
      executor_("twins", clock) {}

TwinDesk::~TwinDesk() {
  executor_.Stop();
  absl::MutexLock lock(&mutex_);
  for (Work& work : waiting_) {
    if (work.done) work.done(absl::UnavailableError("twin-svc ends"));
  }
}

void TwinDesk::Declare(const DeviceName& device, Declaration declaration,
                       std::shared_ptr<const Models> models) {
  absl::MutexLock lock(&mutex_);
  if (models != nullptr) {
    models_[device] = std::move(models);
  } else {
    models_.erase(device);
  }
  Enqueue({.device = device, .declaration = std::move(declaration)});
}

void TwinDesk::Undeclare(const DeviceName& device) {
  absl::MutexLock lock(&mutex_);
  models_.erase(device);
  Enqueue({.device = device});
}

void TwinDesk::KeepOnly(std::set<DeviceName> devices) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [device, twin] : twins_) {
    if (devices.count(device) == 0) Enqueue({.device = device});
  }
}

void TwinDesk::Submit(const DeviceName& device, Write write, bool whole, Done done) {
  const size_t bytes = BytesOf(write);
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_bytes_ + bytes <= bounds_.waiting_bytes_max) {
      return Enqueue({device, std::move(write), std::nullopt, whole, bytes, std::move(done)});
    }
  }
  metrics_.writes_refused.Increment();
  done(Error(absl::StatusCode::kResourceExhausted,
             absl::StrCat("writes of ", bounds_.waiting_bytes_max,
                          " bytes wait for the disk: try again later"))
           .Reason("TWINS_BUSY"));
}

void TwinDesk::Enqueue(Work work) {
  waiting_bytes_ += work.bytes;
  metrics_.waiting_bytes.Set(static_cast<double>(waiting_bytes_));
  waiting_.push_back(std::move(work));
  PostCommit();
}

void TwinDesk::Commit() {
  std::vector<Work> batch;
  {
    absl::MutexLock lock(&mutex_);
    while (!waiting_.empty() && batch.size() < bounds_.commit_writes_max) {
      batch.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  Drafts drafts;
  std::vector<Answer> answers;
  for (Work& work : batch) {
    if (work.write.has_value()) {
      DoWrite(work, drafts, answers);
    } else {
      DoDeclare(work, drafts);
    }
  }
  const absl::Status saved = Save(drafts);
  (saved.ok() ? metrics_.commits_ok : metrics_.commits_failed).Increment();
  if (saved.ok()) Publish(drafts);
  for (Answer& answer : answers) {
    (saved.ok() && answer.written.ok() ? metrics_.writes_done : metrics_.writes_refused)
        .Increment();
    answer.done(saved.ok() || !answer.written.ok() ? std::move(answer.written)
                                                   : absl::StatusOr<Written>(saved));
  }
  absl::MutexLock lock(&mutex_);
  for (const Work& work : batch) waiting_bytes_ -= work.bytes;
  metrics_.waiting_bytes.Set(static_cast<double>(waiting_bytes_));
  const bool writes_wait = !waiting_.empty();
  if (!saved.ok()) {
    // Nobody sends a declaration again; those that came meanwhile are newer.
    for (auto it = batch.rbegin(); it != batch.rend(); ++it) {
      if (!it->write.has_value()) {
        waiting_.push_front({.device = it->device, .declaration = it->declaration});
      }
    }
  }
  committing_ = false;
  if (saved.ok() || writes_wait) {
    PostCommit();
  } else if (!waiting_.empty() && !std::exchange(retries_, true)) {
    executor_.PostAfter(kRetry, [this] {
      absl::MutexLock lock(&mutex_);
      retries_ = false;
      PostCommit();
    });
  }
}

void TwinDesk::PostCommit() {
  if (waiting_.empty() || std::exchange(committing_, true)) return;
  executor_.Post([this] { Commit(); });
}

TwinDesk::Draft* TwinDesk::DraftOf(const DeviceName& device, Drafts& drafts) {
  const auto drafted = drafts.find(device);
  if (drafted != drafts.end()) {
    return drafted->second.twin == nullptr ? nullptr : &drafted->second;
  }
  absl::MutexLock lock(&mutex_);
  const auto stored = twins_.find(device);
  if (stored == twins_.end()) return nullptr;
  Draft& draft = drafts[device];
  draft.twin = std::make_shared<Twin>(*stored->second);
  return &draft;
}

void TwinDesk::DoWrite(Work& work, Drafts& drafts, std::vector<Answer>& answers) {
  const auto refuse = [&](absl::Status why) {
    answers.push_back({std::move(work.done), std::move(why)});
  };
  Draft* const draft = DraftOf(work.device, drafts);
  if (draft == nullptr) return refuse(Unknown(work.device));
  if (absl::Status status = Check(work.device, *work.write); !status.ok()) return refuse(status);
  Written written{.before = View(*draft->twin, *work.write, work.whole)};
  absl::StatusOr<Changes> changes = Apply(*draft->twin, *work.write);
  if (!changes.ok()) return refuse(changes.status());
  draft->dirty |= !changes->empty() || !work.write->id.empty();
  for (const Change& change : *changes) draft->properties.insert(change.property);
  written.after = View(*draft->twin, *work.write, work.whole);
  written.changes = *std::move(changes);
  answers.push_back({std::move(work.done), std::move(written)});
}

void TwinDesk::DoDeclare(Work& work, Drafts& drafts) {
  Draft* draft = DraftOf(work.device, drafts);
  if (!work.declaration.has_value()) {
    if (draft == nullptr) return;
    version_floor_ = std::max(version_floor_, draft->twin->version);
    *draft = {.anew = true, .dirty = true};
    return;
  }
  if (draft == nullptr) {
    draft = &drafts[work.device];
    draft->twin = std::make_shared<Twin>();
    draft->twin->version = version_floor_;
  }
  const Twin before = *draft->twin;
  const Changes changes = twin::Declare(*draft->twin, *work.declaration);
  if (*draft->twin == before) return;
  draft->dirty = true;
  for (const Change& change : changes) {
    draft->properties.insert(change.property);
    if (change.kind == Change::Kind::kConflict) metrics_.conflicts.Increment();
  }
  // A property that is declared without a value has changed nothing, and is there from now on.
  for (const auto& [name, declared] : work.declaration->properties) {
    const auto it = before.properties.find(name);
    if (it == before.properties.end() || it->second != draft->twin->properties.at(name)) {
      draft->properties.insert(name);
    }
  }
}

absl::Status TwinDesk::Check(const DeviceName& device, const Write& write) const {
  std::shared_ptr<const Models> models;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = models_.find(device);
    if (it != models_.end()) models = it->second;
  }
  const auto model_of = [&](const std::string& name) {
    static const device::PropertyModel kAnything{.writable = true};
    if (models != nullptr) {
      const auto it = models->find(name);
      if (it != models->end()) return it->second;
    }
    device::PropertyModel any = kAnything;
    any.name = name;
    return any;
  };
  for (const auto& [name, value] : write.desired) {
    SKERRY_RETURN_IF_ERROR(CheckName(name));
    if (value.has_value()) {
      SKERRY_RETURN_IF_ERROR(device::CheckDesired(model_of(name), value->value));
    }
  }
  for (const auto& [name, value] : write.reported) {
    SKERRY_RETURN_IF_ERROR(CheckName(name));
    SKERRY_RETURN_IF_ERROR(device::CheckValue(model_of(name), value.value));
  }
  return absl::OkStatus();
}

absl::Status TwinDesk::Save(const Drafts& drafts) {
  std::vector<TwinUpdate> updates;
  for (const auto& [device, draft] : drafts) {
    if (!draft.dirty) continue;
    if (draft.anew) updates.push_back({device, nullptr, {}});
    if (draft.twin == nullptr) continue;
    updates.push_back(
        {device, draft.twin.get(), {draft.properties.begin(), draft.properties.end()}});
  }
  return updates.empty() ? absl::OkStatus() : store_.Save(updates);
}

void TwinDesk::Publish(const Drafts& drafts) {
  std::vector<TwinEvent> events;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [device, draft] : drafts) {
      if (!draft.dirty) continue;
      const auto it = twins_.find(device);
      if (draft.twin == nullptr) {
        if (it == twins_.end()) continue;
        twins_.erase(it);
      } else {
        twins_[device] = draft.twin;
      }
      events.push_back({device, draft.twin});
    }
    metrics_.devices.Set(static_cast<double>(twins_.size()));
  }
  if (observer_ && !events.empty()) observer_(events);
}

absl::StatusOr<TwinPtr> TwinDesk::Get(const DeviceName& device) const {
  absl::MutexLock lock(&mutex_);
  const auto it = twins_.find(device);
  if (it == twins_.end()) return Unknown(device);
  return it->second;
}

std::vector<std::pair<DeviceName, TwinPtr>> TwinDesk::List(absl::string_view device_namespace,
                                                           const std::optional<DeviceName>& after,
                                                           size_t count_max) const {
  std::vector<std::pair<DeviceName, TwinPtr>> page;
  absl::MutexLock lock(&mutex_);
  auto it = after.has_value() ? twins_.upper_bound(*after) : twins_.begin();
  for (; it != twins_.end() && page.size() < count_max; ++it) {
    if (!device_namespace.empty() && it->first.device_namespace() != device_namespace) continue;
    page.emplace_back(*it);
  }
  return page;
}

size_t TwinDesk::waiting_bytes() const {
  absl::MutexLock lock(&mutex_);
  return waiting_bytes_;
}

}  // namespace skerry::twin
