#include "services/lib/kubeapi/store/sqlite_object_store.h"

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/store/group_commit.h"
#include "services/lib/kubeapi/store/sqlite_tables.h"
#include "services/lib/kubeapi/store/store_metrics.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/sqlite/database.h"

namespace skerry::kubeapi {
namespace {

using sqlite_tables::LogSize;
using sqlite_tables::Revisions;

// Changes deleted in one transaction: short, for writes wait meanwhile.
constexpr int64_t kCompactStep = 2000;
constexpr absl::Duration kCompactInterval = absl::Seconds(5);

// Read connections, each used by one thread at a time.
class ReaderPool {
 public:
  void Add(std::unique_ptr<sqlite::Database> database) {
    absl::MutexLock lock(&mutex_);
    idle_.push_back(std::move(database));
  }

  // Runs `body` in a read transaction: all it reads is of one instant.
  absl::Status Read(absl::FunctionRef<absl::Status(sqlite::Database&)> body) {
    std::unique_ptr<sqlite::Database> database;
    {
      absl::MutexLock lock(&mutex_, absl::Condition(this, &ReaderPool::HasIdle));
      database = std::move(idle_.back());
      idle_.pop_back();
    }
    absl::Status status = database->Execute("BEGIN");
    if (status.ok()) {
      status = body(*database);
      const absl::Status ended = database->Execute("ROLLBACK");
      if (status.ok()) status = ended;
    }
    Add(std::move(database));
    return status;
  }

 private:
  bool HasIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !idle_.empty(); }

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<sqlite::Database>> idle_ ABSL_GUARDED_BY(mutex_);
};

// `writer_`, `revisions_` and `log_size_` belong to the thread of `commits_`.
class SqliteObjectStore final : public ObjectStore, private ChangeLog {
 public:
  SqliteObjectStore(const SqliteObjectStoreOptions& options, metrics::Registry& registry,
                    std::unique_ptr<sqlite::Database> writer,
                    std::vector<std::unique_ptr<sqlite::Database>> readers,
                    const Revisions& revisions, const LogSize& log_size)
      : options_(options),
        metrics_(registry),
        writer_(std::move(writer)),
        revisions_(revisions),
        log_size_(log_size),
        hub_({}, revisions.current, this),
        commits_(
            {.idle_interval = kCompactInterval},
            [this](absl::Span<PendingWrite* const> group) { Commit(group); },
            [this] { Upkeep(); }) {
    for (auto& reader : readers) readers_.Add(std::move(reader));
  }

  absl::StatusOr<StoredObject> Get(const ObjectKey& key) override {
    std::optional<StoredObject> found;
    SKERRY_RETURN_IF_ERROR(readers_.Read([&](sqlite::Database& database) -> absl::Status {
      SKERRY_ASSIGN_OR_RETURN(found, sqlite_tables::Find(database, key));
      return absl::OkStatus();
    }));
    if (!found.has_value()) return ObjectNotFound(key);
    return *std::move(found);
  }

  absl::StatusOr<ListPage> List(const ListQuery& query) override {
    ListPage page;
    SKERRY_RETURN_IF_ERROR(readers_.Read([&](sqlite::Database& database) -> absl::Status {
      SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, sqlite_tables::ReadRevisions(database));
      if (query.revision != 0) {
        SKERRY_RETURN_IF_ERROR(
            CheckRevision(query.revision, revisions.compacted, revisions.current));
      }
      SKERRY_ASSIGN_OR_RETURN(page, sqlite_tables::List(database, query, revisions.current));
      return absl::OkStatus();
    }));
    return page;
  }

  absl::StatusOr<StoreRevision> Create(const ObjectKey& key, absl::string_view json) override {
    return Submit({.kind = WriteOp::Kind::kCreate, .key = key, .json = std::string(json)});
  }
  absl::StatusOr<StoreRevision> Update(const ObjectKey& key, absl::string_view json,
                                       StoreRevision expected) override {
    return Submit({.kind = WriteOp::Kind::kUpdate,
                   .key = key,
                   .json = std::string(json),
                   .expected = expected});
  }
  absl::StatusOr<StoreRevision> Delete(const ObjectKey& key, StoreRevision expected,
                                       absl::string_view last_json) override {
    return Submit({.kind = WriteOp::Kind::kDelete,
                   .key = key,
                   .json = std::string(last_json),
                   .expected = expected});
  }

  absl::StatusOr<WatchId> Watch(const WatchQuery& query, std::shared_ptr<WatchSink> sink) override {
    if (query.after != 0) {
      SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, ReadRevisions());
      SKERRY_RETURN_IF_ERROR(CheckRevision(query.after, revisions.compacted, revisions.current));
    }
    return hub_.Add(query, std::move(sink));
  }
  void CancelWatch(WatchId id) override { hub_.Cancel(id); }

  absl::StatusOr<StoreRevision> CurrentRevision() override {
    SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, ReadRevisions());
    return revisions.current;
  }
  absl::StatusOr<StoreRevision> CompactedRevision() override {
    SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, ReadRevisions());
    return revisions.compacted;
  }
  absl::Status Check() override { return ReadRevisions().status(); }

 private:
  absl::StatusOr<Revisions> ReadRevisions() {
    Revisions revisions;
    SKERRY_RETURN_IF_ERROR(readers_.Read([&](sqlite::Database& database) -> absl::Status {
      SKERRY_ASSIGN_OR_RETURN(revisions, sqlite_tables::ReadRevisions(database));
      return absl::OkStatus();
    }));
    return revisions;
  }

  absl::StatusOr<StoreRevision> Submit(WriteOp op) {
    absl::StatusOr<StoreRevision> revision = commits_.Submit(std::move(op));
    metrics_.WriteDone(revision.status());
    return revision;
  }

  // ChangeLog.
  absl::StatusOr<Page> ReadChanges(const std::string& resource, const std::string& object_namespace,
                                   StoreRevision after, size_t limit) override {
    Page page;
    SKERRY_RETURN_IF_ERROR(readers_.Read([&](sqlite::Database& database) -> absl::Status {
      SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, sqlite_tables::ReadRevisions(database));
      if (after < revisions.compacted) return RevisionCompacted(after, revisions.compacted);
      SKERRY_ASSIGN_OR_RETURN(page, sqlite_tables::ReadChanges(database, resource, object_namespace,
                                                               after, limit, revisions.current));
      return absl::OkStatus();
    }));
    return page;
  }

  void Commit(absl::Span<PendingWrite* const> group) {
    const absl::Time begin = absl::Now();
    absl::Status status = CommitOnce(group);
    if (absl::IsResourceExhausted(status)) {
      // The log gives way to objects; and without its room not even a deletion would fit.
      if (CompactAll().ok()) status = CommitOnce(group);
    }
    if (!status.ok() && group.size() > 1) {
      // One write may be at fault (too big for what is left): the others shall not fail with it.
      for (PendingWrite* const& write : group) {
        const absl::Status alone = CommitOnce(absl::MakeConstSpan(&write, 1));
        if (!alone.ok()) write->result = alone;
      }
    } else if (!status.ok()) {
      group.front()->result = status;
    }
    metrics_.GroupCommitted(group.size(), absl::Now() - begin);
  }

  // On success all have results, be they refusals.
  absl::Status CommitOnce(absl::Span<PendingWrite* const> group) {
    std::vector<Change> changes;
    const absl::Time now = absl::Now();
    StoreRevision next = revisions_.current;
    const auto body = [&]() -> absl::Status {
      for (PendingWrite* write : group) {
        SKERRY_ASSIGN_OR_RETURN(const std::optional<StoredObject> current,
                                sqlite_tables::Find(*writer_, write->op.key));
        absl::StatusOr<Change> change = PlanWrite(write->op, current, next + 1);
        write->result =
            change.ok() ? absl::StatusOr<StoreRevision>(change->revision) : change.status();
        if (!change.ok()) continue;
        SKERRY_RETURN_IF_ERROR(sqlite_tables::Apply(*writer_, *change, now));
        ++next;
        changes.push_back(*std::move(change));
      }
      return changes.empty() ? absl::OkStatus() : sqlite_tables::SetCurrent(*writer_, next);
    };
    SKERRY_RETURN_IF_ERROR(writer_->Transaction(body));
    revisions_.current = next;
    for (const Change& change : changes) {
      ++log_size_.changes;
      log_size_.bytes += static_cast<int64_t>(
          change.object.size() + (change.previous != change.object ? change.previous.size() : 0));
    }
    hub_.Publish(std::move(changes));
    return absl::OkStatus();
  }

  absl::StatusOr<LogSize> CompactStep(const LogLimits& limits) {
    LogSize gone;
    SKERRY_RETURN_IF_ERROR(writer_->Transaction([&]() -> absl::Status {
      SKERRY_ASSIGN_OR_RETURN(
          gone, sqlite_tables::Compact(*writer_, limits, log_size_, absl::Now(), kCompactStep));
      return absl::OkStatus();
    }));
    log_size_.changes -= gone.changes;
    log_size_.bytes -= gone.bytes;
    return gone;
  }

  absl::Status CompactAll() {
    const LogLimits nothing{.changes_max = 0, .bytes_max = 0};
    for (;;) {
      SKERRY_ASSIGN_OR_RETURN(const LogSize gone, CompactStep(nothing));
      if (gone.changes < kCompactStep) return absl::OkStatus();
    }
  }

  void Upkeep() {
    const absl::Time now = absl::Now();
    const bool beyond =
        log_size_.changes > options_.log.changes_max || log_size_.bytes > options_.log.bytes_max;
    if (!beyond && now < next_upkeep_) return;
    next_upkeep_ = now + kCompactInterval;
    // What fails here is tried again, and shows in the gauges and at the next write.
    CompactStep(options_.log).IgnoreError();
    if (absl::StatusOr<Revisions> revisions = sqlite_tables::ReadRevisions(*writer_);
        revisions.ok()) {
      revisions_.compacted = revisions->compacted;
    }
    metrics_.SetLog(log_size_.changes, log_size_.bytes);
    metrics_.SetRevisions(revisions_.current, revisions_.compacted);
    metrics_.SetWatches(hub_.watches());
  }

  const SqliteObjectStoreOptions options_;
  StoreMetrics metrics_;
  ReaderPool readers_;
  const std::unique_ptr<sqlite::Database> writer_;
  Revisions revisions_;
  LogSize log_size_;
  absl::Time next_upkeep_ = absl::InfinitePast();
  WatchHub hub_;
  GroupCommit commits_;  // Last: its thread uses all of the above.
};

absl::StatusOr<std::unique_ptr<sqlite::Database>> OpenDatabase(
    const SqliteObjectStoreOptions& options, bool first) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Database> database,
                          sqlite::Database::Open({.path = options.path,
                                                  .full_sync = options.full_sync,
                                                  .size_bytes_max = options.size_bytes_max,
                                                  .set_aside_damaged = false,
                                                  .check_integrity = first},
                                                 sqlite_tables::Migrations()));
  SKERRY_RETURN_IF_ERROR(
      database->Execute(absl::StrCat("PRAGMA cache_size=-", options.cache_bytes / 1024)));
  return database;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ObjectStore>> OpenSqliteObjectStore(
    const SqliteObjectStoreOptions& options, metrics::Registry& registry) {
  absl::StatusOr<std::unique_ptr<sqlite::Database>> writer = OpenDatabase(options, true);
  if (absl::IsDataLoss(writer.status())) {
    return Annotate(writer.status(),
                    "the file of all objects is damaged; restore a copy of it, or move it away "
                    "to start with none (controllers will then delete what runs)");
  }
  if (!writer.ok()) return writer.status();
  std::vector<std::unique_ptr<sqlite::Database>> readers;
  for (size_t i = 0; i < options.readers; ++i) {
    SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<sqlite::Database> reader, OpenDatabase(options, false));
    readers.push_back(std::move(reader));
  }
  SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, sqlite_tables::ReadRevisions(**writer));
  SKERRY_ASSIGN_OR_RETURN(const LogSize log_size, sqlite_tables::MeasureLog(**writer));
  return std::unique_ptr<ObjectStore>(std::make_unique<SqliteObjectStore>(
      options, registry, *std::move(writer), std::move(readers), revisions, log_size));
}

}  // namespace skerry::kubeapi
