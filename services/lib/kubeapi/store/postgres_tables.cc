#include "services/lib/kubeapi/store/postgres_tables.h"

#include <algorithm>
#include <limits>
#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::kubeapi::postgres_tables {
namespace {

constexpr const char* kMigrations[] = {
    // Collation "C": names are ordered bytewise whatever the database's language.
    R"sql(
CREATE TABLE revisions (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  current bigint NOT NULL,
  compacted bigint NOT NULL,
  log_bytes bigint NOT NULL
);
INSERT INTO revisions (current, compacted, log_bytes) VALUES (0, 0, 0);
CREATE TABLE objects (
  resource text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  json text NOT NULL,
  PRIMARY KEY (resource, namespace, name)
);
-- previous is NULL where it is the same as object.
CREATE TABLE changes (
  revision bigint PRIMARY KEY,
  change_time timestamptz NOT NULL DEFAULT now(),
  kind smallint NOT NULL,
  resource text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  object text NOT NULL,
  previous text,
  previous_revision bigint NOT NULL,
  bytes bigint NOT NULL
);
CREATE INDEX changes_by_resource ON changes (resource, revision);
)sql",
};

// Columns of a Change, in the order of ToChange.
constexpr char kChangeColumns[] =
    "revision, kind, resource, namespace, name, object, COALESCE(previous, object), "
    "previous_revision";

Change ToChange(const pqxx::row& row) {
  Change change{.revision = row[0].as<int64_t>(),
                .kind = static_cast<ChangeKind>(row[1].as<int>())};
  change.key = {.resource = row[2].as<std::string>(),
                .object_namespace = row[3].as<std::string>(),
                .name = row[4].as<std::string>()};
  change.object = row[5].as<std::string>();
  if (change.kind != ChangeKind::kAdded) change.previous = row[6].as<std::string>();
  change.previous_revision = row[7].as<int64_t>();
  return change;
}

Revisions ToRevisions(const pqxx::row& row) {
  return {.current = row[0].as<int64_t>(),
          .compacted = row[1].as<int64_t>(),
          .log_bytes = row[2].as<int64_t>()};
}

// An array literal of texts.
std::string Array(const std::vector<ObjectKey>& keys, const std::string ObjectKey::*part) {
  std::string text = "{";
  for (const ObjectKey& key : keys) {
    text += text.size() > 1 ? ",\"" : "\"";
    for (const char c : key.*part) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

}  // namespace

absl::Span<const char* const> Migrations() { return kMigrations; }

Revisions ReadRevisions(pqxx::transaction_base& transaction) {
  return ToRevisions(transaction.exec1("SELECT current, compacted, log_bytes FROM revisions"));
}

Revisions LockRevisions(pqxx::transaction_base& transaction) {
  return ToRevisions(
      transaction.exec1("SELECT current, compacted, log_bytes FROM revisions FOR UPDATE"));
}

std::map<ObjectKey, StoredObject> Find(pqxx::transaction_base& transaction,
                                       const std::vector<ObjectKey>& keys) {
  const pqxx::result rows = transaction.exec_params(
      "SELECT resource, namespace, name, json, revision FROM objects "
      "JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (r, s, n) "
      "ON resource = r AND namespace = s AND name = n",
      Array(keys, &ObjectKey::resource), Array(keys, &ObjectKey::object_namespace),
      Array(keys, &ObjectKey::name));
  std::map<ObjectKey, StoredObject> found;
  for (const pqxx::row& row : rows) {
    StoredObject object{.key = {.resource = row[0].as<std::string>(),
                                .object_namespace = row[1].as<std::string>(),
                                .name = row[2].as<std::string>()},
                        .json = row[3].as<std::string>(),
                        .revision = row[4].as<int64_t>()};
    found.emplace(object.key, std::move(object));
  }
  return found;
}

int64_t LogBytes(const Change& change) {
  return static_cast<int64_t>(change.object.size() +
                              (change.previous != change.object ? change.previous.size() : 0));
}

void Apply(pqxx::transaction_base& transaction, const Change& change) {
  // One round trip for both.
  static const std::string* const put = new std::string(
      "WITH put AS (INSERT INTO objects (resource, namespace, name, revision, json) VALUES ($3, "
      "$4, $5, $1, $6) "
      "ON CONFLICT (resource, namespace, name) DO UPDATE SET revision = EXCLUDED.revision, json = "
      "EXCLUDED.json) ");
  static const std::string* const drop = new std::string(
      "WITH gone AS (DELETE FROM objects WHERE resource = $3 AND namespace = $4 AND name = $5) ");
  const std::string sql = absl::StrCat(change.kind == ChangeKind::kDeleted ? *drop : *put,
                                       "INSERT INTO changes (revision, kind, resource, namespace, "
                                       "name, object, previous, previous_revision, bytes) "
                                       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
  const std::string* const previous = change.previous != change.object ? &change.previous : nullptr;
  transaction.exec_params(sql, change.revision, static_cast<int>(change.kind), change.key.resource,
                          change.key.object_namespace, change.key.name, change.object,
                          previous == nullptr ? nullptr : previous->c_str(),
                          change.previous_revision, LogBytes(change));
}

void Advance(pqxx::transaction_base& transaction, StoreRevision current, int64_t added_log_bytes) {
  transaction.exec_params(
      absl::StrCat(
          "UPDATE revisions SET current = $1, log_bytes = log_bytes + $2 RETURNING pg_notify('",
          kChannel, "', '')"),
      current, added_log_bytes);
}

ListPage List(pqxx::transaction_base& transaction, const ListQuery& query, StoreRevision current) {
  const bool now = query.revision == 0 || query.revision == current;
  const StoreRevision revision = now ? current : query.revision;
  const std::string where =
      " AND ($2 = '' OR namespace = $2) AND (NOT $3::boolean OR (namespace, name) > ($4::text, "
      "$5::text))";
  // As in sqlite_tables.cc: what was not written since, and what the first later change of the
  // others replaced.
  std::string sql = absl::StrCat(
      "SELECT namespace, name, json, revision FROM objects WHERE resource = $1 AND revision <= $7",
      where);
  if (!now) {
    absl::StrAppend(&sql,
                    " UNION ALL SELECT namespace, name, COALESCE(previous, object), "
                    "previous_revision FROM changes "
                    "WHERE resource = $1 AND revision > $7 AND previous_revision BETWEEN 1 AND $7",
                    where);
  }
  absl::StrAppend(&sql, " ORDER BY 1, 2 LIMIT $6");
  const int64_t limit = query.limit == 0 ? std::numeric_limits<int64_t>::max()
                                         : static_cast<int64_t>(query.limit) + 1;
  const ListQuery::Position after = query.after.value_or(ListQuery::Position{});
  const pqxx::result rows =
      transaction.exec_params(sql, query.resource, query.object_namespace, query.after.has_value(),
                              after.object_namespace, after.name, limit, revision);
  ListPage page;
  page.revision = revision;
  for (const pqxx::row& row : rows) {
    if (query.limit > 0 && page.items.size() == query.limit) {
      page.more = true;
      break;
    }
    page.items.push_back({.key = {.resource = query.resource,
                                  .object_namespace = row[0].as<std::string>(),
                                  .name = row[1].as<std::string>()},
                          .json = row[2].as<std::string>(),
                          .revision = row[3].as<int64_t>()});
  }
  return page;
}

ChangeLog::Page ReadChanges(pqxx::transaction_base& transaction, const std::string& resource,
                            const std::string& object_namespace, StoreRevision after, size_t limit,
                            StoreRevision current) {
  const pqxx::result rows = transaction.exec_params(
      absl::StrCat(
          "SELECT ", kChangeColumns,
          " FROM changes WHERE resource = $1 AND revision > $2 AND ($3 = '' OR namespace = $3) "
          "ORDER BY revision LIMIT $4"),
      resource, after, object_namespace, static_cast<int64_t>(limit));
  ChangeLog::Page page;
  for (const pqxx::row& row : rows) page.changes.push_back(ToChange(row));
  page.scanned_to =
      page.changes.size() == limit ? page.changes.back().revision : std::max(after, current);
  return page;
}

std::vector<Change> ReadTail(pqxx::transaction_base& transaction, StoreRevision after,
                             size_t limit) {
  const pqxx::result rows = transaction.exec_params(
      absl::StrCat("SELECT ", kChangeColumns,
                   " FROM changes WHERE revision > $1 ORDER BY revision LIMIT $2"),
      after, static_cast<int64_t>(limit));
  std::vector<Change> changes;
  for (const pqxx::row& row : rows) changes.push_back(ToChange(row));
  return changes;
}

void Compact(pqxx::transaction_base& transaction, const LogLimits& limits, int64_t steps_max) {
  const bool mine =
      transaction.exec1("SELECT pg_try_advisory_xact_lock(hashtext('skerry object log'))")[0]
          .as<bool>();
  if (!mine) return;
  const Revisions revisions = ReadRevisions(transaction);
  // Changes follow each other, so their number is a difference.
  const pqxx::row oldest = transaction.exec_params1(
      "WITH oldest AS (SELECT revision, change_time, sum(bytes) OVER (ORDER BY revision) - bytes "
      "AS older_bytes "
      "FROM (SELECT revision, change_time, bytes FROM changes ORDER BY revision LIMIT $1) AS "
      "first_ones) "
      "SELECT max(revision) FROM oldest WHERE $2 - revision + 1 > $3 OR $4 - older_bytes > $5 "
      "OR change_time < now() - make_interval(secs => $6)",
      steps_max, revisions.current, limits.changes_max, revisions.log_bytes, limits.bytes_max,
      absl::ToDoubleSeconds(limits.age_max));
  if (oldest[0].is_null()) return;
  transaction.exec_params(
      "WITH gone AS (DELETE FROM changes WHERE revision <= $1 RETURNING bytes) "
      "UPDATE revisions SET compacted = $1, log_bytes = log_bytes - (SELECT COALESCE(sum(bytes), "
      "0) FROM gone)",
      oldest[0].as<int64_t>());
}

}  // namespace skerry::kubeapi::postgres_tables
