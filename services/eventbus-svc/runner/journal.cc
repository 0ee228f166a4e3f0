#include "services/eventbus-svc/runner/journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

constexpr absl::Duration kExpiryInterval = absl::Minutes(1);
constexpr size_t kEntryBytes = 128;  // What one costs besides its text, roughly.

size_t BytesOf(const BusChange& change) {
  size_t bytes = kEntryBytes + 8 * change.published.size() + 64 * change.seen.size();
  for (const Publication& each : change.publish) bytes += each.topic.size() + each.payload.size();
  for (const UserUpload& each : change.receive) bytes += each.topic.size() + each.payload.size();
  for (const std::string& topic : change.withdrawn) bytes += topic.size();
  return bytes;
}

}  // namespace

Journal::Journal(SqliteBusStore& store, const Options& options, Clock& clock, BusMetrics& metrics,
                 log::Logger log)
    : store_(store),
      options_(options),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      thread_("bus-journal", clock_) {
  Show();
  thread_.PostAfter(kExpiryInterval, [this] { DropExpired(); });
}

Journal::~Journal() { Stop(); }

void Journal::Stop() { thread_.Stop(); }

void Journal::SetListeners(std::function<void()> on_publications,
                           std::function<void()> on_uploads) {
  on_publications_ = std::move(on_publications);
  on_uploads_ = std::move(on_uploads);
}

void Journal::Submit(BusChange change, Done done) {
  const size_t bytes = BytesOf(change);
  const double publications = static_cast<double>(change.publish.size());
  absl::Status refused;
  {
    absl::MutexLock lock(&mutex_);
    // One that is larger than the bound has its turn when nothing else waits.
    if (!waiting_.empty() && waiting_bytes_ + bytes > options_.waiting_bytes_max) {
      refused = Error(absl::StatusCode::kResourceExhausted,
                      absl::StrCat(waiting_bytes_, " bytes wait for the disk, ",
                                   options_.waiting_bytes_max, " is the most: send it again"))
                    .Reason("BUS_BUSY");
    } else {
      waiting_.push_back({std::move(change), std::move(done), bytes});
      waiting_bytes_ += bytes;
      if (waiting_.size() > 1 || thread_.Post([this] { Flush(); })) return;
      done = std::move(waiting_.back().done);
      waiting_.clear();
      waiting_bytes_ = 0;
      refused = Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("DRAINING");
    }
  }
  metrics_.publications_dropped_store.Increment(publications);
  if (done) done(refused);
}

void Journal::Flush() {
  std::vector<Entry> entries;
  {
    absl::MutexLock lock(&mutex_);
    entries = std::move(waiting_);
    waiting_.clear();
    waiting_bytes_ = 0;
  }
  Commit(entries);
}

void Journal::Commit(std::vector<Entry>& entries) {
  std::vector<const BusChange*> changes;
  for (const Entry& entry : entries) changes.push_back(&entry.change);
  const absl::StatusOr<SqliteBusStore::Dropped> dropped = store_.Apply(changes);
  if (!dropped.ok() && entries.size() > 1) {
    // What can be stored is: on a full disk that is whatever takes no more room.
    for (Entry& entry : entries) {
      std::vector<Entry> one;
      one.push_back(std::move(entry));
      Commit(one);
    }
    return;
  }
  (dropped.ok() ? metrics_.commits_ok : metrics_.commits_failed).Increment();
  if (dropped.ok()) {
    complained_ = false;
    metrics_.publications_replaced.Increment(static_cast<double>(dropped->replaced));
    metrics_.publications_dropped_full.Increment(static_cast<double>(dropped->publications));
    metrics_.uploads_dropped_full.Increment(static_cast<double>(dropped->uploads));
    metrics_.repeated.Increment(static_cast<double>(dropped->repeated));
  } else {
    for (const Entry& entry : entries) {
      metrics_.publications_dropped_store.Increment(
          static_cast<double>(entry.change.publish.size()));
    }
    if (!std::exchange(complained_, true))
      log_.Error("the disk does not take what is to be published", dropped.status());
  }
  Show();
  for (Entry& entry : entries) {
    if (entry.done) entry.done(dropped.status());
  }
  const SqliteBusStore::Stats stats = store_.stats();
  if (stats.publications.entries > 0 && on_publications_) on_publications_();
  if (stats.uploads.entries > 0 && on_uploads_) on_uploads_();
}

void Journal::ReadPublications(uint64_t after, size_t count_max, size_t bytes_max,
                               Publications done) {
  thread_.Post([this, after, count_max, bytes_max, done = std::move(done)]() mutable {
    done(store_.ReadPublications(after, count_max, bytes_max));
  });
}

void Journal::ReadUploads(uint64_t after, size_t count_max, size_t bytes_max, Uploads done) {
  thread_.Post([this, after, count_max, bytes_max, done = std::move(done)]() mutable {
    done(store_.ReadUploads(after, count_max, bytes_max));
  });
}

void Journal::DropExpired() {
  const absl::StatusOr<SqliteBusStore::Dropped> dropped = store_.DropExpired();
  if (dropped.ok()) {
    metrics_.publications_dropped_expired.Increment(static_cast<double>(dropped->publications));
    metrics_.uploads_dropped_expired.Increment(static_cast<double>(dropped->uploads));
  }
  Show();
  thread_.PostAfter(kExpiryInterval, [this] { DropExpired(); });
}

void Journal::Show() {
  const SqliteBusStore::Stats stats = store_.stats();
  metrics_.publications_waiting.Set(static_cast<double>(stats.publications.entries));
  metrics_.publications_waiting_bytes.Set(static_cast<double>(stats.publications.size_bytes));
  metrics_.uploads_waiting.Set(static_cast<double>(stats.uploads.entries));
  metrics_.uploads_waiting_bytes.Set(static_cast<double>(stats.uploads.size_bytes));
}

}  // namespace skerry::eventbus
