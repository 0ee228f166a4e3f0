#include "services/eventbus-svc/store/sqlite_bus_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/store/bus_schema.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

constexpr int64_t kOverheadBytes = 64;  // Of a row, roughly.
constexpr char kPublications[] = "publication";
constexpr char kUploads[] = "upload";
constexpr char kId[] = "id";
constexpr char kSequence[] = "sequence";
constexpr char kAge[] = "open_micros";

int64_t SizeOf(absl::string_view topic, absl::string_view payload) {
  return static_cast<int64_t>(topic.size() + payload.size()) + kOverheadBytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteBusStore>> SqliteBusStore::Open(
    const std::string& path, const BusBounds& bounds, const std::string& new_id, Clock& clock,
    const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path,
      .keep_room = true,
      .after_repair = [](sqlite::Database& repaired,
                         const sqlite::Repair&) { return repaired.Execute(kAfterBusRepair); },
      .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kBusMigrations);
  if (!database.ok()) return Annotate(database.status(), "eventbus store");
  std::unique_ptr<SqliteBusStore> store(new SqliteBusStore(*std::move(database), bounds, clock));
  absl::Status loaded = store->Load(new_id);
  if (!loaded.ok()) return Annotate(loaded, "eventbus store");
  return store;
}

absl::Status SqliteBusStore::Load(const std::string& new_id) {
  SKERRY_RETURN_IF_ERROR(
      database_
          ->Prepare("INSERT INTO store VALUES (1, ?1, 0, 0, 0, row_checksum(?1, 0, 0, 0))"
                    " ON CONFLICT DO NOTHING")
          .Bind(1, new_id)
          .Run());
  sqlite::Statement read = database_->Prepare(
      "SELECT store_id,"
      "  max(open_micros, (SELECT COALESCE(MAX(open_micros), 0) FROM publication),"
      "    (SELECT COALESCE(MAX(open_micros), 0) FROM upload)),"
      "  max(last_publication, (SELECT COALESCE(MAX(id), 0) FROM publication)),"
      "  max(last_upload, (SELECT COALESCE(MAX(sequence), 0) FROM upload)),"
      "  (SELECT COUNT(*) FROM publication), (SELECT COALESCE(SUM(size_bytes), 0) FROM "
      "publication),"
      "  (SELECT COUNT(*) FROM upload), (SELECT COALESCE(SUM(size_bytes), 0) FROM upload)"
      " FROM store");
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return database_->Damaged("the eventbus store's own row is missing");
  id_ = read.Text(0);
  open_time_.Resume(read.Int(1));
  state_ = {
      .last_publication = static_cast<uint64_t>(read.Int(2)),
      .last_upload = static_cast<uint64_t>(read.Int(3)),
      .stats = {.publications = {read.Int(4), read.Int(5)}, .uploads = {read.Int(6), read.Int(7)}}};
  return absl::OkStatus();
}

absl::Status SqliteBusStore::Change(absl::FunctionRef<absl::Status(State&)> body) {
  State state;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    state = state_;
    SKERRY_RETURN_IF_ERROR(body(state));
    return database_
        ->Prepare(
            "UPDATE store SET open_micros = ?2, last_publication = ?3, last_upload = ?4,"
            " checksum = row_checksum(?1, ?2, ?3, ?4)")
        .Bind(1, id_)
        .Bind(2, open_time_.Micros())
        .Bind(3, static_cast<int64_t>(state.last_publication))
        .Bind(4, static_cast<int64_t>(state.last_upload))
        .Run();
  }));
  state_ = state;
  return absl::OkStatus();
}

absl::StatusOr<SqliteBusStore::Dropped> SqliteBusStore::Apply(
    const std::vector<const BusChange*>& changes) {
  Dropped dropped;
  SKERRY_RETURN_IF_ERROR(Change([&](State& state) -> absl::Status {
    dropped = {};
    for (const BusChange* change : changes) {
      SKERRY_RETURN_IF_ERROR(ApplyOne(*change, state, dropped));
    }
    return absl::OkStatus();
  }));
  return dropped;
}

absl::Status SqliteBusStore::ApplyOne(const BusChange& change, State& state, Dropped& dropped) {
  Waiting& publications = state.stats.publications;
  for (const uint64_t id : change.published) {
    SKERRY_RETURN_IF_ERROR(DeletePublication(id, publications).status());
  }
  if (change.uploaded > 0) {
    SKERRY_RETURN_IF_ERROR(
        DeleteUpTo(kUploads, kSequence, static_cast<int64_t>(change.uploaded), state.stats.uploads)
            .status());
  }
  for (const std::string& topic : change.withdrawn) {
    SKERRY_ASSIGN_OR_RETURN(int64_t count, DeletePublicationsOf(topic, publications));
    dropped.replaced += count;
  }
  for (const Publication& publication : change.publish) {
    SKERRY_RETURN_IF_ERROR(Publish(publication, state, dropped));
  }
  for (const UserUpload& upload : change.receive) {
    SKERRY_RETURN_IF_ERROR(Receive(upload, state, dropped));
  }
  for (const auto& [device, seen] : change.seen) SKERRY_RETURN_IF_ERROR(See(device, seen));
  for (const auto& [filter, subscribed] : change.rule_filters) {
    SKERRY_RETURN_IF_ERROR(SetRuleFilter(filter, subscribed));
  }
  return absl::OkStatus();
}

absl::Status SqliteBusStore::Publish(const Publication& publication, State& state,
                                     Dropped& dropped) {
  Waiting& waiting = state.stats.publications;
  uint64_t place = 0;
  if (publication.state) {
    SKERRY_ASSIGN_OR_RETURN(place, PlaceOf(publication.topic));
    SKERRY_ASSIGN_OR_RETURN(int64_t replaced, DeletePublicationsOf(publication.topic, waiting));
    dropped.replaced += replaced;
  }
  if (place == 0) place = ++state.last_publication;
  const int64_t bytes = SizeOf(publication.topic, publication.payload);
  if (bytes > bounds_.publications_bytes_max) {
    ++dropped.publications;
    return absl::OkStatus();
  }
  SKERRY_ASSIGN_OR_RETURN(
      int64_t made, MakeRoom(kPublications, kId, bytes, bounds_.publications_bytes_max, waiting));
  dropped.publications += made;
  SKERRY_RETURN_IF_ERROR(database_
                             ->Prepare("INSERT INTO publication VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                                       " row_checksum(?2, ?3, ?4, ?5, ?6))")
                             .Bind(1, static_cast<int64_t>(place))
                             .Bind(2, publication.topic)
                             .BindBlob(3, publication.payload)
                             .Bind(4, int64_t{publication.retain})
                             .Bind(5, bytes)
                             .Bind(6, open_time_.Micros())
                             .Run());
  ++waiting.entries;
  waiting.size_bytes += bytes;
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SqliteBusStore::PlaceOf(const std::string& topic) {
  sqlite::Statement read =
      database_->Prepare("SELECT MIN(id) FROM publication WHERE topic = ?1 AND id > ?2");
  read.Bind(1, topic).Bind(2, static_cast<int64_t>(last_read_));
  SKERRY_RETURN_IF_ERROR(read.Step().status());
  return static_cast<uint64_t>(read.Int(0));
}

absl::Status SqliteBusStore::Receive(const UserUpload& upload, State& state, Dropped& dropped) {
  Waiting& waiting = state.stats.uploads;
  SKERRY_ASSIGN_OR_RETURN(
      bool first, IsFirstDelivery(*database_, upload.delivery, upload.topic, upload.payload));
  if (!first) {
    ++dropped.repeated;
    return absl::OkStatus();
  }
  const int64_t bytes = SizeOf(upload.topic, upload.payload);
  if (bytes > bounds_.uploads_bytes_max) {
    ++dropped.uploads;
    return absl::OkStatus();
  }
  SKERRY_ASSIGN_OR_RETURN(int64_t made,
                          MakeRoom(kUploads, kSequence, bytes, bounds_.uploads_bytes_max, waiting));
  dropped.uploads += made;
  SKERRY_RETURN_IF_ERROR(database_
                             ->Prepare("INSERT INTO upload VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                                       " row_checksum(?2, ?3, ?4, ?5, ?6))")
                             .Bind(1, static_cast<int64_t>(++state.last_upload))
                             .Bind(2, upload.topic)
                             .BindBlob(3, upload.payload)
                             .Bind(4, absl::ToUnixMicros(upload.time))
                             .Bind(5, bytes)
                             .Bind(6, open_time_.Micros())
                             .Run());
  ++waiting.entries;
  waiting.size_bytes += bytes;
  return absl::OkStatus();
}

absl::Status SqliteBusStore::See(const DeviceName& device, const std::optional<SeenTwin>& seen) {
  if (!seen.has_value()) {
    return database_->Prepare("DELETE FROM seen_twin WHERE device = ?1")
        .Bind(1, device.value())
        .Run();
  }
  return database_
      ->Prepare("INSERT OR REPLACE INTO seen_twin VALUES (?1, ?2, ?3, row_checksum(?1, ?2, ?3))")
      .Bind(1, device.value())
      .Bind(2, seen->uid)
      .Bind(3, static_cast<int64_t>(seen->version))
      .Run();
}

absl::Status SqliteBusStore::SetRuleFilter(const std::string& filter, bool subscribed) {
  sqlite::Statement change = database_->Prepare(
      subscribed ? "INSERT OR REPLACE INTO rule_filter VALUES (?1, row_checksum(?1))"
                 : "DELETE FROM rule_filter WHERE filter = ?1");
  return change.Bind(1, filter).Run();
}

// ---- out ----

absl::StatusOr<int64_t> SqliteBusStore::DeletePublication(uint64_t id, Waiting& waiting) {
  sqlite::Statement remove =
      database_->Prepare("DELETE FROM publication WHERE id = ?1 RETURNING size_bytes");
  remove.Bind(1, static_cast<int64_t>(id));
  SKERRY_ASSIGN_OR_RETURN(bool found, remove.Step());
  if (!found) return 0;  // It was dropped or replaced meanwhile.
  --waiting.entries;
  waiting.size_bytes -= remove.Int(0);
  return 1;
}

absl::StatusOr<int64_t> SqliteBusStore::DeletePublicationsOf(absl::string_view topic,
                                                             Waiting& waiting) {
  sqlite::Statement remove =
      database_->Prepare("DELETE FROM publication WHERE topic = ?1 RETURNING size_bytes");
  remove.Bind(1, topic);
  for (int64_t count = 0;; ++count) {
    SKERRY_ASSIGN_OR_RETURN(bool found, remove.Step());
    if (!found) return count;
    --waiting.entries;
    waiting.size_bytes -= remove.Int(0);
  }
}

absl::StatusOr<int64_t> SqliteBusStore::DeleteUpTo(absl::string_view table,
                                                   absl::string_view column, int64_t value,
                                                   Waiting& waiting) {
  sqlite::Statement remove = database_->Prepare(
      absl::StrCat("DELETE FROM ", table, " WHERE ", column, " <= ?1 RETURNING size_bytes"));
  remove.Bind(1, value);
  for (int64_t count = 0;; ++count) {
    SKERRY_ASSIGN_OR_RETURN(bool found, remove.Step());
    if (!found) return count;
    --waiting.entries;
    waiting.size_bytes -= remove.Int(0);
  }
}

absl::StatusOr<int64_t> SqliteBusStore::MakeRoom(absl::string_view table, absl::string_view column,
                                                 int64_t bytes, int64_t bytes_max,
                                                 Waiting& waiting) {
  const int64_t surplus = waiting.size_bytes + bytes - bytes_max;
  if (surplus <= 0) return 0;
  int64_t up_to = 0;
  {
    sqlite::Statement read = database_->Prepare(
        absl::StrCat("SELECT ", column, ", size_bytes FROM ", table, " ORDER BY ", column));
    for (int64_t freed = 0; freed < surplus;) {
      SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
      if (!found) break;
      up_to = read.Int(0);
      freed += read.Int(1);
    }
  }
  return DeleteUpTo(table, column, up_to, waiting);
}

absl::StatusOr<SqliteBusStore::Dropped> SqliteBusStore::DropExpired() {
  Dropped dropped;
  const int64_t limit = open_time_.Micros() - absl::ToInt64Microseconds(bounds_.age_max) - 1;
  SKERRY_RETURN_IF_ERROR(Change([&](State& state) -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(dropped.publications,
                            DeleteUpTo(kPublications, kAge, limit, state.stats.publications));
    SKERRY_ASSIGN_OR_RETURN(dropped.uploads,
                            DeleteUpTo(kUploads, kAge, limit, state.stats.uploads));
    return absl::OkStatus();
  }));
  return dropped;
}

absl::StatusOr<std::vector<WaitingPublication>> SqliteBusStore::ReadPublications(uint64_t after,
                                                                                 size_t count_max,
                                                                                 size_t bytes_max) {
  std::vector<WaitingPublication> page;
  size_t bytes = 0;
  sqlite::Statement read = database_->Prepare(
      "SELECT id, topic, payload, retain, checksum IN (-1, row_checksum(topic, payload, retain,"
      " size_bytes, open_micros)) FROM publication WHERE id > ?1 ORDER BY id");
  read.Bind(1, static_cast<int64_t>(after));
  while (page.size() < count_max && bytes < bytes_max) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) break;
    if (read.Int(4) == 0) {
      return database_->Damaged(absl::StrCat("publication ", read.Int(0), " has another checksum"));
    }
    page.push_back({static_cast<uint64_t>(read.Int(0)),
                    {.topic = read.Text(1), .payload = read.Text(2), .retain = read.Int(3) != 0}});
    bytes += page.back().publication.payload.size();
  }
  if (!page.empty()) last_read_ = std::max(last_read_, page.back().id);
  return page;
}

absl::StatusOr<std::vector<WaitingUpload>> SqliteBusStore::ReadUploads(uint64_t after,
                                                                       size_t count_max,
                                                                       size_t bytes_max) {
  std::vector<WaitingUpload> page;
  size_t bytes = 0;
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, topic, payload, time_micros, checksum IN (-1, row_checksum(topic, payload,"
      " time_micros, size_bytes, open_micros)) FROM upload WHERE sequence > ?1 ORDER BY sequence");
  read.Bind(1, static_cast<int64_t>(after));
  while (page.size() < count_max && bytes < bytes_max) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) break;
    if (read.Int(4) == 0) {
      return database_->Damaged(absl::StrCat("upload ", read.Int(0), " has another checksum"));
    }
    page.push_back({static_cast<uint64_t>(read.Int(0)),
                    {read.Text(1), read.Text(2), absl::FromUnixMicros(read.Int(3))}});
    bytes += page.back().upload.payload.size();
  }
  return page;
}

absl::StatusOr<std::map<DeviceName, SeenTwin>> SqliteBusStore::ReadSeen() {
  std::map<DeviceName, SeenTwin> seen;
  sqlite::Statement read = database_->Prepare("SELECT device, uid, version FROM seen_twin");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return seen;
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(read.Text(0));
    if (!device.ok()) return database_->Damaged("a row of seen_twin names no device");
    seen[*device] = {read.Text(1), static_cast<uint64_t>(read.Int(2))};
  }
}

absl::StatusOr<std::set<std::string>> SqliteBusStore::ReadRuleFilters() {
  std::set<std::string> filters;
  sqlite::Statement read = database_->Prepare("SELECT filter FROM rule_filter");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return filters;
    filters.insert(read.Text(0));
  }
}

}  // namespace skerry::eventbus
