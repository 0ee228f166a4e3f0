#include "services/lib/kubeapi/store/watch_hub.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::Duration kLogRetry = absl::Milliseconds(500);

size_t BytesOf(const Change& change) {
  return sizeof(Change) + change.object.size() + change.previous.size();
}

bool Matches(const WatchQuery& query, const Change& change) {
  return change.key.resource == query.resource &&
         (query.object_namespace.empty() || change.key.object_namespace == query.object_namespace);
}

}  // namespace

WatchHub::WatchHub(const Options& options, StoreRevision tail, ChangeLog* log)
    : options_(options), log_(log), tail_(tail), recent_floor_(tail), thread_([this] { Loop(); }) {}

WatchHub::~WatchHub() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.Signal();
  }
  thread_.join();
  std::map<WatchId, Watcher> rest;
  {
    absl::MutexLock lock(&mutex_);
    rest.swap(watchers_);
  }
  for (auto& [id, watcher] : rest) {
    if (!watcher.receiver->cancelled)
      watcher.receiver->sink->OnClosed(absl::UnavailableError("the object store ends"));
  }
}

void WatchHub::Publish(std::vector<Change> changes) {
  if (changes.empty()) return;
  absl::MutexLock lock(&mutex_);
  for (Change& change : changes) {
    if (change.revision <= tail_) continue;
    if (change.revision != tail_ + 1) {
      // Some were left out, so memory begins anew; watches read the rest from the log.
      recent_.clear();
      recent_bytes_ = 0;
      recent_floor_ = change.revision - 1;
    }
    tail_ = change.revision;
    recent_bytes_ += BytesOf(change);
    recent_.push_back(std::make_shared<const Change>(std::move(change)));
  }
  while (recent_.size() > options_.recent_changes_max ||
         (recent_bytes_ > options_.recent_bytes_max && recent_.size() > 1)) {
    recent_floor_ = recent_.front()->revision;
    recent_bytes_ -= BytesOf(*recent_.front());
    recent_.pop_front();
  }
  wake_.Signal();
}

absl::StatusOr<WatchId> WatchHub::Add(const WatchQuery& query, std::shared_ptr<WatchSink> sink) {
  const absl::Time now = absl::Now();
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("the object store ends");
  if (watchers_.size() >= options_.watches_max) {
    return Error(absl::StatusCode::kResourceExhausted, "too many watches")
        .Reason("WATCHES_TOO_MANY");
  }
  const WatchId id = next_id_++;
  Watcher& watcher = watchers_[id];
  watcher.query = query;
  watcher.receiver = std::make_shared<Receiver>();
  watcher.receiver->sink = std::move(sink);
  watcher.position = query.after == 0 ? tail_ : query.after;
  watcher.progress_at = now + query.progress_interval;
  watcher.ends_at = now + query.lifetime;
  wake_.Signal();
  return id;
}

void WatchHub::Cancel(WatchId id) { Forget(id); }

void WatchHub::Forget(WatchId id) {
  std::shared_ptr<Receiver> receiver;  // Its sink may be destroyed here, so after the lock.
  {
    absl::MutexLock lock(&mutex_);
    const auto found = watchers_.find(id);
    if (found == watchers_.end()) return;
    receiver = std::move(found->second.receiver);
    watchers_.erase(found);
  }
  receiver->cancelled = true;
}

size_t WatchHub::watches() const {
  absl::MutexLock lock(&mutex_);
  return watchers_.size();
}

StoreRevision WatchHub::tail() const {
  absl::MutexLock lock(&mutex_);
  return tail_;
}

void WatchHub::Loop() {
  exec::SetThreadName("object-watch");
  for (;;) {
    std::vector<Turn> turns = NextTurns();
    if (turns.empty()) return;
    for (const Turn& turn : turns) Perform(turn);
  }
}

std::vector<WatchHub::Turn> WatchHub::NextTurns() {
  std::vector<Turn> turns;
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    const absl::Time now = absl::Now();
    for (auto& [id, watcher] : watchers_) {
      Turn turn;
      turn.id = id;
      if (PlanTurn(watcher, now, turn)) turns.push_back(std::move(turn));
    }
    if (!turns.empty()) return turns;
    wake_.WaitWithDeadline(&mutex_, NextDue());
  }
  return {};
}

bool WatchHub::PlanTurn(Watcher& watcher, absl::Time now, Turn& turn) {
  turn.position = watcher.position;
  if (now >= watcher.ends_at) {
    turn.ended = true;
  } else if (watcher.position < tail_ && now >= watcher.retry_at) {
    if (watcher.position < recent_floor_) {
      turn.read_log = true;
    } else {
      TakeRecent(watcher, turn);
      // Positions move on in silence past what the watch does not ask for.
      if (turn.changes.empty() && now < watcher.progress_at) return false;
    }
  }
  if (!turn.ended && !turn.read_log && now >= watcher.progress_at && watcher.position >= tail_) {
    turn.progress = true;
    watcher.progress_at = now + watcher.query.progress_interval;
  }
  if (!turn.ended && !turn.read_log && !turn.progress && turn.changes.empty()) return false;
  turn.query = watcher.query;
  turn.receiver = watcher.receiver;
  return true;
}

void WatchHub::TakeRecent(Watcher& watcher, Turn& turn) {
  // Revisions in memory follow each other, so a position is an index.
  for (size_t i = static_cast<size_t>(watcher.position - recent_floor_); i < recent_.size(); ++i) {
    if (turn.changes.size() == options_.batch_max) break;
    watcher.position = recent_[i]->revision;
    if (Matches(watcher.query, *recent_[i])) turn.changes.push_back(recent_[i]);
  }
  turn.position = watcher.position;
}

absl::Time WatchHub::NextDue() const {
  absl::Time due = absl::InfiniteFuture();
  for (const auto& [id, watcher] : watchers_) {
    // One that is behind has no progress to tell: its time must not wake the thread in vain.
    due = std::min(
        {due, watcher.ends_at, watcher.position < tail_ ? watcher.retry_at : watcher.progress_at});
  }
  return due;
}

bool WatchHub::Deliver(const Turn& turn, const Change& change) {
  return !turn.receiver->cancelled && turn.receiver->sink->OnChange(change);
}

void WatchHub::Perform(const Turn& turn) {
  if (turn.read_log) return PerformFromLog(turn);
  for (const std::shared_ptr<const Change>& change : turn.changes) {
    if (!Deliver(turn, *change)) return Forget(turn.id);
  }
  if (turn.receiver->cancelled) return;
  if (turn.progress && !turn.receiver->sink->OnProgress(turn.position)) return Forget(turn.id);
  if (turn.ended) {
    Forget(turn.id);
    turn.receiver->sink->OnClosed(absl::OkStatus());
  }
}

void WatchHub::PerformFromLog(const Turn& turn) {
  absl::StatusOr<ChangeLog::Page> page = log_->ReadChanges(
      turn.query.resource, turn.query.object_namespace, turn.position, options_.batch_max);
  if (absl::IsOutOfRange(page.status())) {
    if (turn.receiver->cancelled) return;
    Forget(turn.id);
    turn.receiver->sink->OnClosed(page.status());
    return;
  }
  if (page.ok()) {
    for (const Change& change : page->changes) {
      if (!Deliver(turn, change)) return Forget(turn.id);
    }
  }
  absl::MutexLock lock(&mutex_);
  const auto found = watchers_.find(turn.id);
  if (found == watchers_.end()) return;
  if (page.ok()) {
    found->second.position = page->scanned_to;
  } else {
    found->second.retry_at =
        absl::Now() + kLogRetry;  // The database is away for now: the watch waits.
  }
}

}  // namespace skerry::kubeapi
