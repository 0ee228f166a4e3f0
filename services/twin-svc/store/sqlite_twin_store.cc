#include "services/twin-svc/store/sqlite_twin_store.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/twin/v1/twin_record.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/twin-svc/store/twin_schema.h"
#include "services/twin-svc/wire/twin_wire.h"
#include "services/twin-svc/wire/write_id.h"

namespace skerry::twin {
namespace {

// What readings make room for at least, where there is none: a few commits.
constexpr int64_t kRoomBytesMin = 64 << 10;

absl::Status BadRow(absl::string_view table, absl::string_view device) {
  return absl::DataLossError(absl::StrCat("a row of ", table, " does not parse: device ", device));
}

std::vector<uint64_t> WriteIdsFrom(const v1::WriteIds& message) {
  std::vector<uint64_t> ids{message.digests().begin(), message.digests().end()};
  for (const std::string& name : message.ids()) ids.push_back(WriteIdOf(name));
  if (ids.size() > Twin::kWriteIdsMax) ids.erase(ids.begin(), ids.end() - Twin::kWriteIdsMax);
  return ids;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTwinStore>> SqliteTwinStore::Open(
    const std::string& path, const TwinStoreBounds& bounds, Clock& clock,
    const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path,
      .size_bytes_max = bounds.size_bytes_max,
      .keep_room = true,
      .after_repair = [](sqlite::Database& repaired,
                         const sqlite::Repair&) { return repaired.Execute(kAfterTwinRepair); },
      .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kTwinMigrations);
  if (!database.ok()) return Annotate(database.status(), "twin store");
  std::unique_ptr<SqliteTwinStore> store(
      new SqliteTwinStore(*std::move(database), bounds.readings, clock));
  if (absl::Status loaded = store->readings_.Load(); !loaded.ok()) {
    return Annotate(loaded, "twin store");
  }
  return store;
}

absl::StatusOr<StoredTwins> SqliteTwinStore::Load() {
  StoredTwins stored;
  {
    sqlite::Statement row = database_->Prepare("SELECT version_floor FROM store");
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return database_->Damaged("the twin store's own row is missing");
    stored.version_floor = static_cast<uint64_t>(row.Int(0));
  }
  SKERRY_RETURN_IF_ERROR(LoadTwins(stored));
  SKERRY_RETURN_IF_ERROR(LoadProperties(stored));
  SKERRY_RETURN_IF_ERROR(LoadReported(stored));
  return stored;
}

absl::Status SqliteTwinStore::LoadTwins(StoredTwins& stored) {
  sqlite::Statement row = database_->Prepare(
      "SELECT device, uid, generation, version, write_ids, revision, state FROM twin");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(row.Text(0));
    v1::WriteIds ids;
    v1::DeviceState message;
    if (!device.ok() || !ids.ParseFromString(row.Text(4)) ||
        !message.ParseFromString(row.Text(6))) {
      return database_->Damaged(BadRow("twin", row.Text(0)).message());
    }
    absl::StatusOr<DeviceState> state =
        row.Text(6).empty() ? absl::StatusOr<DeviceState>(DeviceState()) : FromProto(message);
    if (!state.ok()) return database_->Damaged(BadRow("twin", row.Text(0)).message());
    stored.twins[*device] = {.uid = row.Text(1),
                             .generation = row.Int(2),
                             .version = static_cast<uint64_t>(row.Int(3)),
                             .revision = static_cast<uint64_t>(row.Int(5)),
                             .write_ids = WriteIdsFrom(ids),
                             .state = *std::move(state)};
  }
}

absl::Status SqliteTwinStore::LoadProperties(StoredTwins& stored) {
  sqlite::Statement row = database_->Prepare("SELECT device, name, property FROM property");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(row.Text(0));
    v1::Property message;
    if (!device.ok() || stored.twins.count(*device) == 0 || !message.ParseFromString(row.Text(2))) {
      return database_->Damaged(BadRow("property", row.Text(0)).message());
    }
    absl::StatusOr<Property> property = FromProto(message);
    if (!property.ok()) return database_->Damaged(BadRow("property", row.Text(0)).message());
    stored.twins.at(*device).properties[row.Text(1)] = *std::move(property);
  }
}

absl::Status SqliteTwinStore::LoadReported(StoredTwins& stored) {
  sqlite::Statement row = database_->Prepare("SELECT device, revision FROM reported");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, row.Step());
    if (!found) return absl::OkStatus();
    const absl::StatusOr<DeviceName> device = DeviceName::Parse(row.Text(0));
    if (!device.ok()) return database_->Damaged(BadRow("reported", row.Text(0)).message());
    stored.reported[*device] = static_cast<uint64_t>(row.Int(1));
  }
}

absl::Status SqliteTwinStore::Change(int64_t room, absl::FunctionRef<absl::Status()> body) {
  readings_.Begin();
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    if (room > 0) {
      SKERRY_RETURN_IF_ERROR(readings_.MakeRoom(room));
    }
    return body();
  }));
  readings_.Committed();
  return absl::OkStatus();
}

absl::Status SqliteTwinStore::Save(const std::vector<TwinUpdate>& updates) {
  int64_t bytes = 0;
  bool readings = false;
  for (const TwinUpdate& update : updates) {
    for (const std::string& value : update.readings) {
      bytes += static_cast<int64_t>(value.size());
      readings = true;
    }
  }
  const auto write = [&](int64_t room) {
    return Change(room, [&]() -> absl::Status {
      for (const TwinUpdate& update : updates) {
        SKERRY_RETURN_IF_ERROR(update.twin == nullptr ? Delete(update.device) : Write(update));
        for (const std::string& value : update.readings) {
          SKERRY_RETURN_IF_ERROR(readings_.Append(update.device.value(), value));
        }
      }
      return readings || room > 0 ? readings_.End() : absl::OkStatus();
    });
  };
  absl::Status status = write(0);
  if (GetErrorInfo(status).reason != "DATABASE_FULL" || this->readings().bytes == 0) return status;
  return write(std::max(2 * bytes, kRoomBytesMin));
}

absl::Status SqliteTwinStore::SaveProgress(const Progress& progress) {
  return Change(0, [&]() -> absl::Status {
    for (const auto& [device, revision] : progress.reported) {
      SKERRY_RETURN_IF_ERROR(
          database_
              ->Prepare("INSERT INTO reported SELECT ?1, ?2, row_checksum(?1, ?2)"
                        " WHERE EXISTS (SELECT 1 FROM twin WHERE device = ?1)"
                        " ON CONFLICT (device) DO UPDATE SET revision = ?2,"
                        "  checksum = excluded.checksum")
              .Bind(1, device.value())
              .Bind(2, static_cast<int64_t>(revision))
              .Run());
    }
    readings_.Sent(progress.readings_sent);
    return readings_.End();
  });
}

absl::StatusOr<bool> SqliteTwinStore::DropExpiredReadings() {
  bool more = false;
  SKERRY_RETURN_IF_ERROR(Change(0, [&]() -> absl::Status {
    SKERRY_ASSIGN_OR_RETURN(more, readings_.DropExpired());
    return readings_.End();
  }));
  return more;
}

// A row that is there is changed in its place: what is no larger than before needs no room.
absl::Status SqliteTwinStore::Write(const TwinUpdate& update) {
  const std::string& device = update.device.value();
  const Twin& twin = *update.twin;
  v1::WriteIds ids;
  ids.mutable_digests()->Add(twin.write_ids.begin(), twin.write_ids.end());
  SKERRY_RETURN_IF_ERROR(
      database_
          ->Prepare("INSERT INTO twin (device, uid, generation, version, write_ids, revision,"
                    "  state, checksum)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7))"
                    " ON CONFLICT (device) DO UPDATE SET uid = ?2, generation = ?3, version = ?4,"
                    "  write_ids = ?5, revision = ?6, state = ?7, checksum = excluded.checksum")
          .Bind(1, device)
          .Bind(2, twin.uid)
          .Bind(3, twin.generation)
          .Bind(4, static_cast<int64_t>(twin.version))
          .BindBlob(5, ids.SerializeAsString())
          .Bind(6, static_cast<int64_t>(twin.revision))
          .BindBlob(7, ToProto(twin.state).SerializeAsString())
          .Run());
  for (const std::string& name : update.properties) {
    const auto it = twin.properties.find(name);
    if (it == twin.properties.end()) {
      SKERRY_RETURN_IF_ERROR(
          database_->Prepare("DELETE FROM property WHERE device = ?1 AND name = ?2")
              .Bind(1, device)
              .Bind(2, name)
              .Run());
      continue;
    }
    SKERRY_RETURN_IF_ERROR(
        database_
            ->Prepare("INSERT INTO property VALUES (?1, ?2, ?3, row_checksum(?1, ?2, ?3))"
                      " ON CONFLICT (device, name) DO UPDATE SET property = ?3,"
                      "  checksum = excluded.checksum")
            .Bind(1, device)
            .Bind(2, name)
            .BindBlob(3, ToProto(it->second).SerializeAsString())
            .Run());
  }
  return absl::OkStatus();
}

absl::Status SqliteTwinStore::Delete(const DeviceName& device) {
  SKERRY_RETURN_IF_ERROR(
      database_
          ->Prepare("UPDATE store SET version_floor = max(version_floor,"
                    " coalesce((SELECT version FROM twin WHERE device = ?1), 0))")
          .Bind(1, device.value())
          .Run());
  SKERRY_RETURN_IF_ERROR(
      database_->Prepare("UPDATE store SET checksum = row_checksum(version_floor)").Run());
  for (const char* sql :
       {"DELETE FROM property WHERE device = ?1", "DELETE FROM reported WHERE device = ?1",
        "DELETE FROM twin WHERE device = ?1"}) {
    SKERRY_RETURN_IF_ERROR(database_->Prepare(sql).Bind(1, device.value()).Run());
  }
  return absl::OkStatus();
}

}  // namespace skerry::twin
