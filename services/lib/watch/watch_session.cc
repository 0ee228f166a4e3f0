#include "services/lib/watch/watch_session.h"

#include <algorithm>
#include <utility>

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::watch {
namespace {

Event::Kind KindOf(const Change& change) {
  return change.deleted ? Event::Kind::kDeleted : Event::Kind::kUpserted;
}

}  // namespace

WatchSession::WatchSession(std::set<std::string> types, std::optional<int64_t> resume_revision,
                           Source& source, size_t queue_bytes_max)
    : types_(std::move(types)),
      source_(source),
      queue_bytes_max_(queue_bytes_max),
      phase_(resume_revision.has_value() ? Phase::kCatchUp : Phase::kSnapshot),
      revision_(resume_revision.value_or(source.Revision())),
      seen_(source.Revision()) {}

void WatchSession::OnChange(const ChangePtr& change) {
  seen_ = std::max(seen_, change->revision);
  if (too_slow_ || types_.count(change->type) == 0) return;
  if (phase_ == Phase::kCatchUp) return;  // The log has it.
  if (phase_ == Phase::kSnapshot && Position(change->type, change->key) > position_) return;
  size_t bytes = change->bytes();
  if (queued_bytes_ + bytes > queue_bytes_max_) {
    too_slow_ = true;
    queue_.clear();
    queued_bytes_ = 0;
    return;
  }
  queue_.push_back(change);
  queued_bytes_ += bytes;
}

absl::StatusOr<std::vector<Event>> WatchSession::Next(size_t bytes_max) {
  if (too_slow_) {
    return Error(absl::StatusCode::kResourceExhausted,
                 "the watcher reads too slowly; resume from its last token")
        .Reason("SLOW_WATCHER");
  }
  std::vector<Event> events;
  if (phase_ == Phase::kSnapshot) {
    SKERRY_RETURN_IF_ERROR(ReadSnapshot(bytes_max, events));
  } else if (phase_ == Phase::kCatchUp) {
    SKERRY_RETURN_IF_ERROR(ReadLog(bytes_max, events));
  } else {
    TakeQueued(bytes_max, events);
  }
  return events;
}

std::optional<int64_t> WatchSession::BookmarkRevision() const {
  if (phase_ != Phase::kLive || !queue_.empty() || too_slow_) return std::nullopt;
  return std::max(seen_, revision_);
}

absl::Status WatchSession::ReadSnapshot(size_t bytes_max, std::vector<Event>& events) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<Change> page,
                          source_.ReadObjects(types_, position_, bytes_max));
  if (page.empty()) {
    SKERRY_ASSIGN_OR_RETURN(const bool complete, source_.Complete(types_));
    if (!complete) return absl::OkStatus();
    // What waits in the queue came after the snapshot began: a resume must see it again.
    if (queue_.empty()) revision_ = std::max(seen_, revision_);
    phase_ = Phase::kLive;
    events.push_back({Event::Kind::kSynced, nullptr, revision_});
    return absl::OkStatus();
  }
  position_ = {page.back().type, page.back().key};
  for (Change& change : page) {
    events.push_back(
        {Event::Kind::kUpserted, std::make_shared<const Change>(std::move(change)), std::nullopt});
  }
  return absl::OkStatus();
}

absl::Status WatchSession::ReadLog(size_t bytes_max, std::vector<Event>& events) {
  const int64_t newest = source_.Revision();
  if (revision_ > newest)
    return ResumeTokenExpired();  // Of a file that a backup has since replaced.
  if (revision_ < newest) {
    SKERRY_ASSIGN_OR_RETURN(LogPage page, source_.ReadLog(types_, revision_, bytes_max));
    revision_ = page.read_to;
    for (Change& change : page.changes) {
      auto shared = std::make_shared<const Change>(std::move(change));
      events.push_back({KindOf(*shared), shared, shared->revision});
    }
  }
  if (revision_ >= newest) {
    phase_ = Phase::kLive;
    events.push_back({Event::Kind::kSynced, nullptr, revision_});
  }
  return absl::OkStatus();
}

void WatchSession::TakeQueued(size_t bytes_max, std::vector<Event>& events) {
  size_t taken = 0;
  while (!queue_.empty() && (events.empty() || taken + queue_.front()->bytes() <= bytes_max)) {
    ChangePtr change = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= change->bytes();
    taken += change->bytes();
    revision_ = std::max(revision_, change->revision);
    events.push_back({KindOf(*change), change, change->revision});
  }
}

}  // namespace skerry::watch
