#include "services/lib/kubeapi/store/postgres_object_store.h"

#include <pqxx/pqxx>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/store/change_tail.h"
#include "services/lib/kubeapi/store/group_commit.h"
#include "services/lib/kubeapi/store/postgres_tables.h"
#include "services/lib/kubeapi/store/store_metrics.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/postgres/await_database.h"

namespace skerry::kubeapi {
namespace {

using postgres::Pool;
using postgres_tables::Revisions;

constexpr int64_t kCompactStep = 2000;
constexpr absl::Duration kUpkeepInterval = absl::Seconds(2);

class PostgresObjectStore final : public ObjectStore, private ChangeLog {
 public:
  PostgresObjectStore(const PostgresObjectStoreOptions& options, log::Logger log,
                      metrics::Registry& registry, std::unique_ptr<Pool> pool,
                      const Revisions& revisions)
      : options_(options),
        log_(std::move(log)),
        metrics_(registry),
        pool_(std::move(pool)),
        hub_({}, revisions.current, this),
        tail_(pool_.get(), &hub_, options.poll_interval, log_),
        commits_(
            {.idle_interval = kUpkeepInterval},
            [this](absl::Span<PendingWrite* const> group) { Commit(group); },
            [this] { Upkeep(); }) {}

  absl::StatusOr<StoredObject> Get(const ObjectKey& key) override {
    std::map<ObjectKey, StoredObject> found;
    SKERRY_RETURN_IF_ERROR(Read("get", [&](pqxx::transaction_base& transaction, const Revisions&) {
      found = postgres_tables::Find(transaction, {key});
      return absl::OkStatus();
    }));
    if (found.empty()) return ObjectNotFound(key);
    return std::move(found.begin()->second);
  }

  absl::StatusOr<ListPage> List(const ListQuery& query) override {
    ListPage page;
    SKERRY_RETURN_IF_ERROR(
        Read("list", [&](pqxx::transaction_base& transaction, const Revisions& revisions) {
          if (query.revision != 0) {
            SKERRY_RETURN_IF_ERROR(
                CheckRevision(query.revision, revisions.compacted, revisions.current));
          }
          page = postgres_tables::List(transaction, query, revisions.current);
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
    SKERRY_ASSIGN_OR_RETURN(const Revisions revisions, ReadRevisions());
    WatchQuery from = query;
    // The hub may be behind other servers' writes, so "now" is the database's.
    if (from.after == 0) from.after = revisions.current;
    SKERRY_RETURN_IF_ERROR(CheckRevision(from.after, revisions.compacted, revisions.current));
    return hub_.Add(from, std::move(sink));
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
  absl::Status Read(
      absl::string_view op,
      absl::FunctionRef<absl::Status(pqxx::transaction_base&, const Revisions&)> body) {
    return pool_->Transact(op, Pool::Mode::kSnapshot, [&](pqxx::transaction_base& transaction) {
      return body(transaction, postgres_tables::ReadRevisions(transaction));
    });
  }

  absl::StatusOr<Revisions> ReadRevisions() {
    Revisions read;
    SKERRY_RETURN_IF_ERROR(
        Read("read revisions", [&](pqxx::transaction_base&, const Revisions& revisions) {
          read = revisions;
          return absl::OkStatus();
        }));
    return read;
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
    SKERRY_RETURN_IF_ERROR(
        Read("read changes", [&](pqxx::transaction_base& transaction, const Revisions& revisions) {
          if (after < revisions.compacted) return RevisionCompacted(after, revisions.compacted);
          page = postgres_tables::ReadChanges(transaction, resource, object_namespace, after, limit,
                                              revisions.current);
          return absl::OkStatus();
        }));
    return page;
  }

  void Commit(absl::Span<PendingWrite* const> group) {
    const absl::Time begin = absl::Now();
    const absl::Status status = CommitOnce(group);
    // One write may be at fault (text that is no UTF-8): the others shall not fail with it. After
    // any other failure the database would only be asked in vain, or the group may even be
    // committed.
    const bool at_fault = absl::IsInvalidArgument(status) || absl::IsInternal(status);
    for (PendingWrite* const& write : group) {
      if (status.ok()) break;
      const absl::Status alone =
          at_fault && group.size() > 1 ? CommitOnce(absl::MakeConstSpan(&write, 1)) : status;
      if (!alone.ok()) write->result = alone;
    }
    metrics_.GroupCommitted(group.size(), absl::Now() - begin);
  }

  // On success all have results, be they refusals. Publishing is the tail's, in the order of all
  // servers.
  absl::Status CommitOnce(absl::Span<PendingWrite* const> group) {
    std::vector<ObjectKey> keys;
    for (const PendingWrite* write : group) keys.push_back(write->op.key);
    return pool_->Transact("commit", Pool::Mode::kWrite, [&](pqxx::transaction_base& transaction) {
      StoreRevision next = postgres_tables::LockRevisions(transaction).current;
      const StoreRevision before = next;
      std::map<ObjectKey, StoredObject> objects = postgres_tables::Find(transaction, keys);
      int64_t log_bytes = 0;
      for (PendingWrite* write : group) {
        const auto found = objects.find(write->op.key);
        const absl::StatusOr<Change> change = PlanWrite(
            write->op,
            found == objects.end() ? std::nullopt : std::optional<StoredObject>(found->second),
            next + 1);
        write->result =
            change.ok() ? absl::StatusOr<StoreRevision>(change->revision) : change.status();
        if (!change.ok()) continue;
        postgres_tables::Apply(transaction, *change);
        ++next;
        log_bytes += postgres_tables::LogBytes(*change);
        if (change->kind == ChangeKind::kDeleted) {
          objects.erase(change->key);
        } else {
          objects[change->key] = {
              .key = change->key, .json = change->object, .revision = change->revision};
        }
      }
      if (next > before) postgres_tables::Advance(transaction, next, log_bytes);
      return absl::OkStatus();
    });
  }

  void Upkeep() {
    const absl::Time now = absl::Now();
    if (now < next_upkeep_) return;
    next_upkeep_ = now + kUpkeepInterval;
    const absl::Status compacted =
        pool_->Transact("compact", Pool::Mode::kWrite, [&](pqxx::transaction_base& transaction) {
          postgres_tables::Compact(transaction, options_.log, kCompactStep);
          return absl::OkStatus();
        });
    if (!compacted.ok()) log_.Warning("could not compact the log of changes", compacted);
    if (const absl::StatusOr<Revisions> revisions = ReadRevisions(); revisions.ok()) {
      metrics_.SetLog(revisions->current - revisions->compacted, revisions->log_bytes);
      metrics_.SetRevisions(revisions->current, revisions->compacted);
    }
    metrics_.SetWatches(hub_.watches());
  }

  const PostgresObjectStoreOptions options_;
  const log::Logger log_;
  StoreMetrics metrics_;
  const std::unique_ptr<Pool> pool_;
  absl::Time next_upkeep_ = absl::InfinitePast();  // Of the thread of `commits_`.
  WatchHub hub_;
  ChangeTail tail_;
  GroupCommit commits_;  // Last: its thread uses all of the above.
};

}  // namespace

absl::StatusOr<std::unique_ptr<ObjectStore>> OpenPostgresObjectStore(
    const PostgresObjectStoreOptions& options, log::Logger log, metrics::Registry& registry) {
  postgres::PoolOptions pool_options = options.pool;
  pool_options.registry = &registry;
  auto pool = std::make_unique<Pool>(std::move(pool_options));
  if (options.readiness != nullptr)
    SKERRY_RETURN_IF_ERROR(postgres::AwaitDatabase(*pool, *options.readiness, log));
  SKERRY_RETURN_IF_ERROR(pool->Migrate("object_store", postgres_tables::Migrations()));
  Revisions revisions;
  SKERRY_RETURN_IF_ERROR(pool->Transact("read revisions", Pool::Mode::kSnapshot,
                                        [&](pqxx::transaction_base& transaction) {
                                          revisions = postgres_tables::ReadRevisions(transaction);
                                          return absl::OkStatus();
                                        }));
  return std::unique_ptr<ObjectStore>(std::make_unique<PostgresObjectStore>(
      options, std::move(log), registry, std::move(pool), revisions));
}

}  // namespace skerry::kubeapi
