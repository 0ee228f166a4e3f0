#include "services/edgehub-svc/store/sqlite_journal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edgehub {
namespace {

// AUTOINCREMENT: a sequence is never given twice, not even when its entry is gone.
constexpr const char* kMigrations[] = {
    "CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), journal_id TEXT NOT NULL,"
    "  acked_sequence INTEGER NOT NULL) STRICT;"
    "CREATE TABLE report ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  type TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  wall_micros INTEGER NOT NULL,"
    "  logical INTEGER NOT NULL,"
    "  value BLOB NOT NULL,"
    "  size_bytes INTEGER NOT NULL,"
    "  stored_micros INTEGER NOT NULL,"
    "  UNIQUE (type, key)) STRICT;"
    "CREATE INDEX report_by_type ON report (type, sequence);"
    "CREATE INDEX report_by_age ON report (stored_micros);",
    "ALTER TABLE journal ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
    // open_micros is for how long the journal had been open, in all, when the row was written: no
    // instant of the wall clock, which steps. Entries from before begin to age now.
    "DROP INDEX report_by_age;"
    "ALTER TABLE journal ADD COLUMN open_micros INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE report ADD COLUMN open_micros INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE report DROP COLUMN stored_micros;"
    "CREATE INDEX report_by_age ON report (open_micros);",
    "ALTER TABLE journal ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE report ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;",
};

int64_t SizeOf(const link::Report& report) {
  return static_cast<int64_t>(link::ReportBytes(report));
}

void Add(const std::string& type, int64_t entries, int64_t bytes, JournalStats& stats) {
  stats.entries += entries;
  stats.size_bytes += bytes;
  int64_t& of_type = stats.type_bytes[type];
  of_type += bytes;
  if (of_type == 0) stats.type_bytes.erase(type);
}

int64_t BytesOf(const std::string& type, const JournalStats& stats) {
  auto it = stats.type_bytes.find(type);
  return it == stats.type_bytes.end() ? 0 : it->second;
}

// `counts` yields type, entries and bytes, a row each type; `sign` is 1 or -1.
absl::Status AddRows(sqlite::Statement& counts, int sign, JournalStats& stats) {
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, counts.Step());
    if (!found) return absl::OkStatus();
    Add(counts.Text(0), sign * counts.Int(1), sign * counts.Int(2), stats);
  }
}

// OK where `more` bytes fit: of the type, which holds `held`, or of all. What adds nothing fits
// always: after an upgrade or with a lower bound more may be held than it says.
absl::Status CheckRoom(const std::string& what, int64_t held, int64_t more, int64_t bytes_max) {
  if (more <= 0 || held + more <= bytes_max) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat(what, " is full: it holds ", held, " of ", bytes_max, " bytes"))
      .Reason("JOURNAL_FULL");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteJournal>> SqliteJournal::Open(
    const std::string& path, const JournalBounds& bounds, const std::string& new_id, Clock& clock,
    const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path,
      .keep_room = true,
      // Sequences may have been lost with the rest, so those of the new journal are of another id.
      // No epoch: ADR 13.
      .after_repair = [](sqlite::Database& repaired,
                         const sqlite::Repair&) { return repaired.Execute("DELETE FROM journal"); },
      .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kMigrations);
  if (!database.ok()) return Annotate(database.status(), "journal");
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(*std::move(database), bounds, clock));
  absl::Status loaded = journal->Load(new_id);
  if (!loaded.ok()) return Annotate(loaded, "journal");
  return journal;
}

absl::Status SqliteJournal::Load(const std::string& new_id) {
  {
    sqlite::Statement insert = database_->Prepare(
        "INSERT INTO journal (id, journal_id, acked_sequence, checksum) VALUES (1, ?1, 0,"
        " row_checksum(?1, 0, 0, 0)) ON CONFLICT DO NOTHING");
    insert.Bind(1, new_id);
    SKERRY_RETURN_IF_ERROR(insert.Run());
  }
  sqlite::Statement read = database_->Prepare(
      "SELECT journal_id, max(open_micros, (SELECT COALESCE(MAX(open_micros), 0) FROM report)),"
      " epoch, acked_sequence, open_micros FROM journal WHERE id = 1");
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return absl::DataLossError("the journal's own row is missing");
  id_ = read.Text(0);
  open_time_.Resume(read.Int(1));
  stored_epoch_ = static_cast<uint64_t>(read.Int(2));
  own_ = {static_cast<uint64_t>(read.Int(3)), stored_epoch_, read.Int(4)};
  SKERRY_ASSIGN_OR_RETURN(stats_, ReadStats());
  return absl::OkStatus();
}

absl::Status SqliteJournal::Save(const Own& own) {
  sqlite::Statement update = database_->Prepare(
      "UPDATE journal SET acked_sequence = ?1, epoch = ?2, open_micros = ?3,"
      " checksum = row_checksum(journal_id, ?1, ?2, ?3) WHERE id = 1");
  update.Bind(1, static_cast<int64_t>(own.acked_sequence));
  update.Bind(2, static_cast<int64_t>(own.epoch)).Bind(3, own.open_micros);
  return update.Run();
}

absl::StatusOr<JournalStats> SqliteJournal::ReadStats() {
  JournalStats stats;
  {
    sqlite::Statement counts =
        database_->Prepare("SELECT type, COUNT(*), SUM(size_bytes) FROM report GROUP BY type");
    SKERRY_RETURN_IF_ERROR(AddRows(counts, 1, stats));
  }
  sqlite::Statement read = database_->Prepare(
      "SELECT (SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence),"
      " (SELECT acked_sequence FROM journal WHERE id = 1)");
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return absl::InternalError("no row of statistics");
  stats.last_sequence = static_cast<uint64_t>(read.Int(0));
  stats.acked_sequence = static_cast<uint64_t>(read.Int(1));
  return stats;
}

JournalStats SqliteJournal::stats() const {
  JournalStats stats = stats_;
  sqlite::Statement read = database_->Prepare("SELECT MIN(open_micros) FROM report");
  const absl::StatusOr<bool> found = read.Step();
  if (found.ok() && *found && !read.IsNull(0)) stats.oldest_time = open_time_.WallTime(read.Int(0));
  return stats;
}

absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> SqliteJournal::Put(
    const std::vector<link::Report>& reports) {
  std::vector<absl::StatusOr<uint64_t>> outcomes;
  JournalStats stats;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    outcomes.clear();
    stats = stats_;
    for (const link::Report& report : reports) {
      SKERRY_ASSIGN_OR_RETURN(absl::StatusOr<uint64_t> outcome, PutOne(report, stats));
      outcomes.push_back(std::move(outcome));
    }
    return absl::OkStatus();
  }));
  stats_ = stats;
  return outcomes;
}

absl::StatusOr<absl::StatusOr<uint64_t>> SqliteJournal::PutOne(const link::Report& report,
                                                               JournalStats& stats) {
  int64_t former_bytes = 0;
  int64_t former_entries = 0;
  {
    sqlite::Statement former =
        database_->Prepare("SELECT size_bytes FROM report WHERE type = ?1 AND key = ?2");
    former.Bind(1, report.type).Bind(2, report.key);
    SKERRY_ASSIGN_OR_RETURN(bool found, former.Step());
    if (found) {
      former_bytes = former.Int(0);
      former_entries = 1;
    }
  }
  const int64_t bytes = SizeOf(report);
  absl::Status room =
      CheckRoom(absl::StrCat("the journal of ", report.type), BytesOf(report.type, stats),
                bytes - former_bytes, bounds_.type_bytes_max);
  room.Update(
      CheckRoom("the journal", stats.size_bytes, bytes - former_bytes, bounds_.size_bytes_max));
  if (!room.ok()) return absl::StatusOr<uint64_t>(room);
  {
    sqlite::Statement remove =
        database_->Prepare("DELETE FROM report WHERE type = ?1 AND key = ?2");
    remove.Bind(1, report.type).Bind(2, report.key);
    SKERRY_RETURN_IF_ERROR(remove.Run());
  }
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO report (type, key, generation, wall_micros, logical, value, size_bytes,"
      " open_micros, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
      " row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))");
  insert.Bind(1, report.type)
      .Bind(2, report.key)
      .Bind(3, report.generation)
      .Bind(4, report.time.wall_micros);
  insert.Bind(5, static_cast<int64_t>(report.time.logical)).BindBlob(6, report.value);
  insert.Bind(7, bytes).Bind(8, open_time_.Micros());
  SKERRY_RETURN_IF_ERROR(insert.Run());
  Add(report.type, 1 - former_entries, bytes - former_bytes, stats);
  stats.last_sequence = static_cast<uint64_t>(database_->LastInsertRowId());
  return absl::StatusOr<uint64_t>(stats.last_sequence);
}

absl::StatusOr<JournalStore::Batch> SqliteJournal::Read(absl::string_view type, uint64_t after,
                                                        size_t count_max, size_t bytes_max) {
  Batch batch;
  size_t bytes = 0;
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, key, generation, wall_micros, logical, value, checksum IN (-1,"
      " row_checksum(type, key, generation, wall_micros, logical, value, size_bytes, open_micros))"
      " FROM report"
      " WHERE type = ?1 AND sequence > ?2 ORDER BY sequence");
  read.Bind(1, type).Bind(2, static_cast<int64_t>(after));
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return batch;
    if (batch.reports.size() >= count_max || bytes >= bytes_max) {
      batch.more = true;
      return batch;
    }
    if (read.Int(6) == 0)
      return database_->Damaged(absl::StrCat("report ", read.Int(0), " has another checksum"));
    link::Report report;
    report.sequence = static_cast<uint64_t>(read.Int(0));
    report.type = std::string(type);
    report.key = read.Text(1);
    report.generation = read.Int(2);
    report.time = {read.Int(3), static_cast<uint32_t>(read.Int(4))};
    report.value = read.Text(5);
    bytes += link::ReportBytes(report);
    batch.reports.push_back(std::move(report));
  }
}

absl::Status SqliteJournal::Trim(absl::string_view type, uint64_t up_to) {
  JournalStats stats = stats_;
  Own own = own_;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    stats = stats_;
    {
      sqlite::Statement counts = database_->Prepare(
          "SELECT type, COUNT(*), SUM(size_bytes) FROM report WHERE type = ?1 AND sequence <= ?2"
          " GROUP BY type");
      counts.Bind(1, type).Bind(2, static_cast<int64_t>(up_to));
      SKERRY_RETURN_IF_ERROR(AddRows(counts, -1, stats));
    }
    sqlite::Statement remove =
        database_->Prepare("DELETE FROM report WHERE type = ?1 AND sequence <= ?2");
    remove.Bind(1, type).Bind(2, static_cast<int64_t>(up_to));
    SKERRY_RETURN_IF_ERROR(remove.Run());
    own.acked_sequence = stats.acked_sequence = std::max(stats.acked_sequence, up_to);
    return Save(own);
  }));
  stats_ = stats;
  own_ = own;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteJournal::DropExpired() {
  if (stats_.entries == 0) return 0;  // Nothing ages.
  const int64_t open = open_time_.Micros();
  const int64_t limit = open - absl::ToInt64Microseconds(bounds_.age_max);
  JournalStats stats;
  Own own = own_;
  own.open_micros = open;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    stats = stats_;
    {
      sqlite::Statement counts = database_->Prepare(
          "SELECT type, COUNT(*), SUM(size_bytes) FROM report WHERE open_micros < ?1 GROUP BY "
          "type");
      counts.Bind(1, limit);
      SKERRY_RETURN_IF_ERROR(AddRows(counts, -1, stats));
    }
    sqlite::Statement remove = database_->Prepare("DELETE FROM report WHERE open_micros < ?1");
    remove.Bind(1, limit);
    SKERRY_RETURN_IF_ERROR(remove.Run());
    return Save(own);
  }));
  own_ = own;
  const int64_t dropped = stats_.entries - stats.entries;
  stats_ = stats;
  return dropped;
}

absl::Status SqliteJournal::StoreEpoch(uint64_t epoch) {
  Own own = own_;
  own.epoch = epoch;
  SKERRY_RETURN_IF_ERROR(Save(own));
  own_ = own;
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, uint64_t>> SqliteJournal::LastSequences() {
  std::map<std::string, uint64_t> sequences;
  sqlite::Statement read =
      database_->Prepare("SELECT type, MAX(sequence) FROM report GROUP BY type");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return sequences;
    sequences[read.Text(0)] = static_cast<uint64_t>(read.Int(1));
  }
}

}  // namespace skerry::edgehub
