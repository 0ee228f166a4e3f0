#include "services/twin-svc/runner/twin_desk.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/device_spec.h"

namespace skerry::twin {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);  // Of what must be stored, after a failure.
constexpr absl::Duration kExpiry = absl::Minutes(10);
constexpr size_t kProgressMax = 1000;  // Twins in one transaction.
constexpr size_t kShownMax = 128;      // Of a name, in an error.

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
  size_t bytes = sizeof(Write);
  for (const auto& [name, value] : write.desired) {
    bytes += name.size() + (value.has_value() ? BytesOf(*value) : 0) + 64;
  }
  for (const auto& [name, value] : write.reported) bytes += name.size() + BytesOf(value) + 64;
  for (const std::string& name : write.remove) bytes += name.size() + 64;
  if (write.state.has_value()) bytes += write.state->state.size() + write.state->reason.size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TwinDesk>> TwinDesk::Create(TwinStore& store, const Bounds& bounds,
                                                           Clock& clock, TwinMetrics& metrics,
                                                           Observer observer) {
  SKERRY_ASSIGN_OR_RETURN(StoredTwins stored, store.Load());
  std::unique_ptr<TwinDesk> desk(new TwinDesk(store, bounds, clock, metrics, std::move(observer)));
  desk->counters_.version_floor = stored.version_floor;
  absl::MutexLock lock(&desk->mutex_);
  for (auto& [device, twin] : stored.twins) {
    const auto reported = stored.reported.find(device);
    desk->counters_.last_revision = std::max(desk->counters_.last_revision, twin.revision);
    if (reported == stored.reported.end() || reported->second < twin.revision) {
      desk->unreported_.push_back(device);
    }
    desk->twins_[device] = std::make_shared<const Twin>(std::move(twin));
  }
  metrics.devices.Set(static_cast<double>(desk->twins_.size()));
  desk->executor_.Post([desk = desk.get()] { desk->DropExpired(); });
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
  while (SaveProgress()) {
  }
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
  Enqueue({.device = device, .gone = true});
}

void TwinDesk::KeepOnly(std::set<DeviceName> devices) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [device, twin] : twins_) {
    if (devices.count(device) == 0) Enqueue({.device = device, .gone = true});
  }
}

void TwinDesk::Submit(const DeviceName& device, Write write, bool whole, Done done) {
  const size_t bytes = BytesOf(write);
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_bytes_ + bytes <= bounds_.waiting_bytes_max) {
      return Enqueue({.device = device,
                      .write = std::move(write),
                      .whole = whole,
                      .bytes = bytes,
                      .done = std::move(done)});
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
  Queue(std::move(work));
  PostCommit();
}

void TwinDesk::Queue(Work work) {
  const auto last = declared_.find(work.device);
  if (work.write.has_value()) {
    if (last != declared_.end()) declared_.erase(last);
    waiting_.push_back(std::move(work));
    return;
  }
  if (last == declared_.end()) {
    waiting_.push_back(std::move(work));
    declared_[waiting_.back().device] = &waiting_.back();
    return;
  }
  Work& waits = *last->second;
  if (work.gone) {
    waits.gone = true;
    waits.declaration.reset();
  }
  if (!work.declaration.has_value()) return;
  // As twin::Declare has it: one of an earlier generation changes nothing.
  if (waits.declaration.has_value() && waits.declaration->uid == work.declaration->uid &&
      waits.declaration->generation > work.declaration->generation) {
    return;
  }
  waits.declaration = std::move(work.declaration);
}

TwinDesk::Work TwinDesk::Dequeue() {
  const auto last = declared_.find(waiting_.front().device);
  if (last != declared_.end() && last->second == &waiting_.front()) declared_.erase(last);
  Work work = std::move(waiting_.front());
  waiting_.pop_front();
  return work;
}

void TwinDesk::PutBack(std::vector<Work>& batch) {
  std::deque<Work> since = std::exchange(waiting_, {});
  declared_.clear();
  for (Work& work : batch) {
    if (work.write.has_value()) continue;
    Queue({.device = work.device, .gone = work.gone, .declaration = std::move(work.declaration)});
  }
  for (Work& work : since) Queue(std::move(work));
}

void TwinDesk::Commit() {
  std::vector<Work> batch;
  {
    absl::MutexLock lock(&mutex_);
    while (!waiting_.empty() && batch.size() < bounds_.commit_writes_max) {
      batch.push_back(Dequeue());
    }
  }
  TwinDrafts drafts([this](const DeviceName& device) { return Find(device); }, counters_);
  std::vector<Answer> answers;
  for (Work& work : batch) {
    if (!work.write.has_value()) {
      metrics_.conflicts.Increment(drafts.Declare(work.device, work.gone, work.declaration));
      continue;
    }
    // An unknown device is told before what is wrong with the write.
    absl::Status fits = Check(work.device, *work.write);
    absl::StatusOr<Written> written = fits.ok() || Find(work.device) == nullptr
                                          ? drafts.Write(work.device, *work.write, work.whole)
                                          : absl::StatusOr<Written>(fits);
    answers.push_back({std::move(work.done), std::move(written)});
  }
  const std::vector<TwinUpdate> updates = drafts.Updates();
  const absl::Status saved = updates.empty() ? absl::OkStatus() : store_.Save(updates);
  (saved.ok() ? metrics_.commits_ok : metrics_.commits_failed).Increment();
  if (saved.ok()) Publish(drafts.Events());
  ShowReadings();
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
  if (!saved.ok()) PutBack(batch);
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

TwinPtr TwinDesk::Find(const DeviceName& device) const {
  absl::MutexLock lock(&mutex_);
  const auto it = twins_.find(device);
  return it == twins_.end() ? nullptr : it->second;
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
  return write.state.has_value() ? CheckStateReport(*write.state) : absl::OkStatus();
}

void TwinDesk::Publish(const std::vector<TwinEvent>& events) {
  {
    absl::MutexLock lock(&mutex_);
    for (const TwinEvent& event : events) {
      if (event.twin == nullptr) {
        twins_.erase(event.device);
      } else {
        twins_[event.device] = event.twin;
      }
    }
    metrics_.devices.Set(static_cast<double>(twins_.size()));
  }
  if (observer_ && !events.empty()) observer_(events);
}

// ---- how far edgehub-svc is ----

std::vector<DeviceName> TwinDesk::TakeUnreported() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(unreported_, {});
}

void TwinDesk::NoteReported(const DeviceName& device, uint64_t revision) {
  absl::MutexLock lock(&mutex_);
  if (twins_.count(device) == 0) return;
  uint64_t& noted = progress_.reported[device];
  noted = std::max(noted, revision);
  PostProgress(bounds_.progress_interval);
}

void TwinDesk::NoteReadingsSent(uint64_t sequence) {
  absl::MutexLock lock(&mutex_);
  progress_.readings_sent = std::max(progress_.readings_sent, sequence);
  PostProgress(bounds_.progress_interval);
}

void TwinDesk::PostProgress(absl::Duration after) {
  if (std::exchange(progress_posted_, true)) return;
  executor_.PostAfter(after, [this] {
    {
      absl::MutexLock lock(&mutex_);
      progress_posted_ = false;
    }
    if (!SaveProgress()) return;
    absl::MutexLock lock(&mutex_);
    PostProgress(absl::ZeroDuration());
  });
}

// In parts: those of ten thousand twins at once would hold up the writes.
bool TwinDesk::SaveProgress() {
  Progress progress;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    if (progress_.reported.empty() && progress_.readings_sent <= store_.readings().sent) {
      return false;
    }
    while (!progress_.reported.empty() && progress.reported.size() < kProgressMax) {
      progress.reported.insert(progress_.reported.extract(progress_.reported.begin()));
    }
    progress.readings_sent = progress_.readings_sent;
    more = !progress_.reported.empty();
  }
  const absl::Status saved = store_.SaveProgress(progress);
  (saved.ok() ? metrics_.commits_ok : metrics_.commits_failed).Increment();
  if (saved.ok()) {
    ShowReadings();
    return more;
  }
  absl::MutexLock lock(&mutex_);
  progress_.reported.merge(progress.reported);  // What came since is newer.
  PostProgress(bounds_.progress_interval);
  return false;
}

void TwinDesk::DropExpired() {
  const absl::StatusOr<bool> more = store_.DropExpiredReadings();
  if (!more.ok()) metrics_.commits_failed.Increment();
  ShowReadings();
  metrics_.store_bytes.Set(static_cast<double>(store_.SizeBytes()));
  executor_.PostAfter(more.ok() && *more ? absl::ZeroDuration() : kExpiry,
                      [this] { DropExpired(); });
}

void TwinDesk::ShowReadings() {
  const ReadingState& now = store_.readings();
  metrics_.readings_bytes.Set(static_cast<double>(now.bytes));
  metrics_.readings_unsent.Set(static_cast<double>(now.unsent()));
  const auto count = [&](prometheus::Counter& counter, uint64_t ReadingState::*dropped) {
    counter.Increment(static_cast<double>(now.*dropped - shown_.*dropped));
  };
  count(metrics_.readings_dropped_full, &ReadingState::dropped_full);
  count(metrics_.readings_dropped_disk_full, &ReadingState::dropped_disk_full);
  count(metrics_.readings_dropped_expired, &ReadingState::dropped_expired);
  shown_ = now;
}

// ---- reading ----

absl::StatusOr<TwinPtr> TwinDesk::Get(const DeviceName& device) const {
  TwinPtr twin = Find(device);
  if (twin == nullptr) return DeviceUnknown(device);
  return twin;
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

size_t TwinDesk::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

size_t TwinDesk::waiting_bytes() const {
  absl::MutexLock lock(&mutex_);
  return waiting_bytes_;
}

}  // namespace skerry::twin
