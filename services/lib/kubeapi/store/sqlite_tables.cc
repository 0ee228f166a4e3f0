#include "services/lib/kubeapi/store/sqlite_tables.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"

namespace skerry::kubeapi::sqlite_tables {
namespace {

constexpr const char* kMigrations[] = {
    R"sql(
CREATE TABLE revisions (current INTEGER NOT NULL, compacted INTEGER NOT NULL);
INSERT INTO revisions VALUES (0, 0);
CREATE TABLE objects (
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (resource, namespace, name)
);
-- previous is NULL where it is the same as object.
CREATE TABLE changes (
  revision INTEGER PRIMARY KEY,
  unix_seconds INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  resource TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  object TEXT NOT NULL,
  previous TEXT,
  previous_revision INTEGER NOT NULL
);
CREATE INDEX changes_by_resource ON changes (resource, revision);
)sql",
};

absl::StatusOr<ListPage> CollectPage(sqlite::Statement statement, const ListQuery& query,
                                     StoreRevision revision) {
  ListPage page;
  page.revision = revision;
  for (;;) {
    SKERRY_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return page;
    if (query.limit > 0 && page.items.size() == query.limit) {
      page.more = true;
      return page;
    }
    page.items.push_back({.key = {.resource = query.resource,
                                  .object_namespace = statement.Text(0),
                                  .name = statement.Text(1)},
                          .json = statement.Text(2),
                          .revision = statement.Int(3)});
  }
}

// The condition on namespace and position, with parameters 2 to 4.
std::string Where(const ListQuery& query) {
  std::string where;
  if (!query.object_namespace.empty()) absl::StrAppend(&where, " AND namespace = ?2");
  if (query.after.has_value()) absl::StrAppend(&where, " AND (namespace, name) > (?3, ?4)");
  return where;
}

void BindWhere(sqlite::Statement& statement, const ListQuery& query) {
  if (!query.object_namespace.empty()) statement.Bind(2, query.object_namespace);
  if (query.after.has_value())
    statement.Bind(3, query.after->object_namespace).Bind(4, query.after->name);
}

}  // namespace

absl::Span<const char* const> Migrations() { return kMigrations; }

absl::StatusOr<Revisions> ReadRevisions(sqlite::Database& database) {
  sqlite::Statement read = database.Prepare("SELECT current, compacted FROM revisions");
  SKERRY_ASSIGN_OR_RETURN(const bool row, read.Step());
  if (!row) return absl::DataLossError("the table of revisions is empty");
  return Revisions{.current = read.Int(0), .compacted = read.Int(1)};
}

absl::Status SetCurrent(sqlite::Database& database, StoreRevision revision) {
  return database.Prepare("UPDATE revisions SET current = ?").Bind(1, revision).Run();
}

absl::StatusOr<std::optional<StoredObject>> Find(sqlite::Database& database, const ObjectKey& key) {
  sqlite::Statement find = database.Prepare(
      "SELECT json, revision FROM objects WHERE resource = ? AND namespace = ? AND name = ?");
  find.Bind(1, key.resource).Bind(2, key.object_namespace).Bind(3, key.name);
  SKERRY_ASSIGN_OR_RETURN(const bool row, find.Step());
  if (!row) return std::optional<StoredObject>();
  return std::optional<StoredObject>({.key = key, .json = find.Text(0), .revision = find.Int(1)});
}

absl::Status Apply(sqlite::Database& database, const Change& change, absl::Time now) {
  if (change.kind == ChangeKind::kDeleted) {
    SKERRY_RETURN_IF_ERROR(
        database.Prepare("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?")
            .Bind(1, change.key.resource)
            .Bind(2, change.key.object_namespace)
            .Bind(3, change.key.name)
            .Run());
  } else {
    SKERRY_RETURN_IF_ERROR(
        database
            .Prepare("INSERT INTO objects (resource, namespace, name, revision, json) VALUES (?, "
                     "?, ?, ?, ?) "
                     "ON CONFLICT DO UPDATE SET revision = excluded.revision, json = excluded.json")
            .Bind(1, change.key.resource)
            .Bind(2, change.key.object_namespace)
            .Bind(3, change.key.name)
            .Bind(4, change.revision)
            .Bind(5, change.object)
            .Run());
  }
  sqlite::Statement log = database.Prepare(
      "INSERT INTO changes (revision, unix_seconds, kind, resource, namespace, name, object, "
      "previous, "
      "previous_revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  log.Bind(1, change.revision)
      .Bind(2, absl::ToUnixSeconds(now))
      .Bind(3, static_cast<int64_t>(change.kind))
      .Bind(4, change.key.resource)
      .Bind(5, change.key.object_namespace)
      .Bind(6, change.key.name)
      .Bind(7, change.object);
  if (change.previous != change.object) log.Bind(8, change.previous);
  return log.Bind(9, change.previous_revision).Run();
}

absl::StatusOr<ListPage> List(sqlite::Database& database, const ListQuery& query,
                              StoreRevision current) {
  const std::string where = Where(query);
  const int64_t limit = query.limit == 0 ? -1 : static_cast<int64_t>(query.limit) + 1;
  const bool now = query.revision == 0 || query.revision == current;
  // The state at a past revision: what has not been written since, and for what has, the state that
  // its first later change replaced.
  sqlite::Statement list =
      now ? database.Prepare(absl::StrCat(
                "SELECT namespace, name, json, revision FROM objects WHERE resource = ?1", where,
                " ORDER BY namespace, name LIMIT ?5"))
          : database.Prepare(absl::StrCat(
                "SELECT namespace, name, json, revision FROM objects WHERE resource = ?1 AND "
                "revision <= ?6",
                where,
                " UNION ALL SELECT namespace, name, IFNULL(previous, object), previous_revision "
                "FROM changes "
                "WHERE resource = ?1 AND revision > ?6 AND previous_revision BETWEEN 1 AND ?6",
                where, " ORDER BY 1, 2 LIMIT ?5"));
  list.Bind(1, query.resource).Bind(5, limit);
  BindWhere(list, query);
  if (!now) list.Bind(6, query.revision);
  return CollectPage(std::move(list), query, now ? current : query.revision);
}

absl::StatusOr<ChangeLog::Page> ReadChanges(sqlite::Database& database, const std::string& resource,
                                            const std::string& object_namespace,
                                            StoreRevision after, size_t limit,
                                            StoreRevision current) {
  sqlite::Statement read = database.Prepare(absl::StrCat(
      "SELECT revision, kind, namespace, name, object, IFNULL(previous, object), previous_revision "
      "FROM changes WHERE resource = ?1 AND revision > ?2",
      object_namespace.empty() ? "" : " AND namespace = ?3", " ORDER BY revision LIMIT ?4"));
  read.Bind(1, resource).Bind(2, after).Bind(4, static_cast<int64_t>(limit));
  if (!object_namespace.empty()) read.Bind(3, object_namespace);
  ChangeLog::Page page;
  for (;;) {
    SKERRY_ASSIGN_OR_RETURN(const bool row, read.Step());
    if (!row) break;
    Change change{
        .revision = read.Int(0),
        .kind = static_cast<ChangeKind>(read.Int(1)),
        .key = {.resource = resource, .object_namespace = read.Text(2), .name = read.Text(3)},
        .object = read.Text(4),
        .previous_revision = read.Int(6)};
    if (change.kind != ChangeKind::kAdded) change.previous = read.Text(5);
    page.changes.push_back(std::move(change));
  }
  page.scanned_to =
      page.changes.size() == limit ? page.changes.back().revision : std::max(after, current);
  return page;
}

absl::StatusOr<LogSize> MeasureLog(sqlite::Database& database) {
  sqlite::Statement measure = database.Prepare(
      "SELECT COUNT(*), IFNULL(SUM(LENGTH(CAST(object AS BLOB)) + IFNULL(LENGTH(CAST(previous AS "
      "BLOB)), 0)), 0) "
      "FROM changes");
  SKERRY_ASSIGN_OR_RETURN(const bool row, measure.Step());
  return row ? LogSize{.changes = measure.Int(0), .bytes = measure.Int(1)} : LogSize{};
}

absl::StatusOr<LogSize> Compact(sqlite::Database& database, const LogLimits& limits,
                                const LogSize& size, absl::Time now, int64_t steps_max) {
  LogSize gone;
  StoreRevision newest_gone = 0;
  {
    sqlite::Statement oldest = database.Prepare(
        "SELECT revision, unix_seconds, LENGTH(CAST(object AS BLOB)) + IFNULL(LENGTH(CAST(previous "
        "AS BLOB)), 0) "
        "FROM changes ORDER BY revision LIMIT ?");
    oldest.Bind(1, steps_max);
    const int64_t horizon = absl::ToUnixSeconds(now - limits.age_max);
    for (;;) {
      SKERRY_ASSIGN_OR_RETURN(const bool row, oldest.Step());
      if (!row) break;
      const bool beyond = size.changes - gone.changes > limits.changes_max ||
                          size.bytes - gone.bytes > limits.bytes_max || oldest.Int(1) < horizon;
      if (!beyond) break;
      ++gone.changes;
      gone.bytes += oldest.Int(2);
      newest_gone = oldest.Int(0);
    }
  }
  if (gone.changes == 0) return gone;
  SKERRY_RETURN_IF_ERROR(
      database.Prepare("DELETE FROM changes WHERE revision <= ?").Bind(1, newest_gone).Run());
  SKERRY_RETURN_IF_ERROR(
      database.Prepare("UPDATE revisions SET compacted = ?").Bind(1, newest_gone).Run());
  return gone;
}

}  // namespace skerry::kubeapi::sqlite_tables
