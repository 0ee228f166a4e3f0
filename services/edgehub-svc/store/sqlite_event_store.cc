#include "services/edgehub-svc/store/sqlite_event_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/edgehub-svc/store/event_schema.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edgehub {
namespace {

// How many producers of one stream are remembered; those that were silent longest are forgotten.
constexpr int64_t kProducersMax = 1000;

int64_t SizeOf(const NewEvent& event) {
  return static_cast<int64_t>(link::EventBytes({0, 0, {}, event.key, event.value}));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteEventStore>> SqliteEventStore::Open(
    const std::string& path, const EventBounds& bounds, const std::string& new_id, Clock& clock,
    const sqlite::Environment& environment) {
  const sqlite::DatabaseOptions options{
      .path = path,
      .keep_room = true,
      .after_repair = [](sqlite::Database& repaired,
                         const sqlite::Repair&) { return repaired.Execute(kAfterEventRepair); },
      .environment = environment};
  absl::StatusOr<std::unique_ptr<sqlite::Database>> database =
      sqlite::Database::Open(options, kEventMigrations);
  if (!database.ok()) return Annotate(database.status(), "event store");
  std::unique_ptr<SqliteEventStore> store(
      new SqliteEventStore(*std::move(database), bounds, clock));
  absl::Status loaded = store->Load(new_id);
  if (!loaded.ok()) return Annotate(loaded, "event store");
  return store;
}

absl::Status SqliteEventStore::Load(const std::string& new_id) {
  {
    sqlite::Statement insert = database_->Prepare(
        "INSERT INTO store (id, store_id, open_micros, checksum) VALUES (1, ?1, 0,"
        " row_checksum(?1, 0)) ON CONFLICT DO NOTHING");
    insert.Bind(1, new_id);
    SKERRY_RETURN_IF_ERROR(insert.Run());
  }
  sqlite::Statement read = database_->Prepare(
      "SELECT store_id, max(open_micros, (SELECT COALESCE(MAX(open_micros), 0) FROM event))"
      " FROM store WHERE id = 1");
  SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
  if (!found) return absl::DataLossError("the store's own row is missing");
  id_ = read.Text(0);
  open_time_.Resume(read.Int(1));
  return LoadStreams();
}

absl::Status SqliteEventStore::LoadStreams() {
  sqlite::Statement read = database_->Prepare(
      "SELECT id, name, priority, when_full, last_sequence, dropped,"
      "  (SELECT COUNT(*) FROM event WHERE stream = s.id),"
      "  (SELECT COALESCE(SUM(size_bytes), 0) FROM event WHERE stream = s.id),"
      "  COALESCE((SELECT open_micros FROM event WHERE stream = s.id ORDER BY sequence LIMIT 1), 0)"
      " FROM stream AS s");
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) break;
    Stream stream;
    stream.id = read.Int(0);
    stream.when_full = static_cast<WhenFull>(read.Int(3));
    stream.dropped = static_cast<uint64_t>(read.Int(5));
    stream.stats = {static_cast<link::EventPriority>(read.Int(2)), read.Int(6), read.Int(7),
                    static_cast<uint64_t>(read.Int(4))};
    stream.oldest_open_micros = read.Int(8);
    streams_[read.Text(1)] = std::move(stream);
  }
  return absl::OkStatus();
}

absl::Status SqliteEventStore::Change(absl::FunctionRef<absl::Status(Streams&)> body) {
  Streams streams;
  SKERRY_RETURN_IF_ERROR(database_->Transaction([&]() -> absl::Status {
    streams = streams_;
    return body(streams);
  }));
  streams_ = std::move(streams);
  return absl::OkStatus();
}

std::map<std::string, StreamStats> SqliteEventStore::stats() const {
  std::map<std::string, StreamStats> all;
  for (const auto& [name, stream] : streams_) {
    StreamStats& stats = all[name] = stream.stats;
    if (stats.entries > 0) stats.oldest_time = open_time_.WallTime(stream.oldest_open_micros);
  }
  return all;
}

absl::Status SqliteEventStore::Declare(const EventStream& declared) {
  return Change([&](Streams& streams) -> absl::Status {
    auto it = streams.find(declared.name);
    if (it == streams.end()) {
      if (streams.size() >= link::kEventStreamsMax) {
        return Error(absl::StatusCode::kResourceExhausted,
                     absl::StrCat("stream ", declared.name, ": this box has ", streams.size(),
                                  " streams of events already, and no more are carried"))
            .Reason("TOO_MANY_STREAMS");
      }
      sqlite::Statement insert = database_->Prepare(
          "INSERT INTO stream (name, priority, when_full, last_sequence, dropped)"
          " VALUES (?1, 0, 0, 0, 0)");
      insert.Bind(1, declared.name);
      SKERRY_RETURN_IF_ERROR(insert.Run());
      it = streams.emplace(declared.name, Stream{database_->LastInsertRowId()}).first;
    }
    it->second.when_full = declared.when_full;
    it->second.stats.priority = declared.priority;
    return Save(it->second);
  });
}

absl::Status SqliteEventStore::Save(const Stream& stream) {
  sqlite::Statement update = database_->Prepare(
      "UPDATE stream SET priority = ?2, when_full = ?3, last_sequence = ?4, dropped = ?5,"
      " checksum = row_checksum(name, ?2, ?3, ?4, ?5) WHERE id = ?1");
  update.Bind(1, stream.id).Bind(2, static_cast<int64_t>(stream.stats.priority));
  update.Bind(3, static_cast<int64_t>(stream.when_full));
  update.Bind(4, static_cast<int64_t>(stream.stats.last_sequence));
  update.Bind(5, static_cast<int64_t>(stream.dropped));
  return update.Run();
}

// ---- in ----

absl::StatusOr<EventStore::Appended> SqliteEventStore::Append(const std::vector<NewEvent>& events) {
  Appended appended;
  SKERRY_RETURN_IF_ERROR(Change([&](Streams& streams) -> absl::Status {
    appended = {};
    std::map<std::pair<std::string, std::string>, absl::Status> refused;  // Stream and producer.
    for (const NewEvent& event : events) {
      absl::Status& earlier = refused[{event.stream, event.producer}];
      if (!earlier.ok()) {
        appended.outcomes.push_back(earlier);  // It must not overtake the one that was refused.
        continue;
      }
      SKERRY_ASSIGN_OR_RETURN(absl::StatusOr<uint64_t> outcome,
                              AppendOne(event, streams, appended));
      earlier = outcome.status();
      appended.outcomes.push_back(std::move(outcome));
    }
    for (const auto& [name, stream] : streams) SKERRY_RETURN_IF_ERROR(Save(stream));
    return absl::OkStatus();
  }));
  return appended;
}

absl::StatusOr<absl::StatusOr<uint64_t>> SqliteEventStore::AppendOne(const NewEvent& event,
                                                                     Streams& streams,
                                                                     Appended& appended) {
  using Outcome = absl::StatusOr<uint64_t>;
  auto it = streams.find(event.stream);
  if (it == streams.end()) {
    return Outcome(Error(absl::StatusCode::kNotFound,
                         absl::StrCat("stream ", event.stream, " is not declared"))
                       .Reason("STREAM_UNKNOWN")
                       .ToStatus());
  }
  Stream& stream = it->second;
  const int64_t bytes = SizeOf(event);
  const bool fits = stream.stats.size_bytes + bytes <= bounds_.stream_bytes_max;
  if (bytes > bounds_.stream_bytes_max || (!fits && stream.when_full == WhenFull::kRefuse)) {
    return Outcome(
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat("stream ", event.stream, " is full: it holds ", stream.stats.size_bytes,
                           " of ", bounds_.stream_bytes_max, " bytes"))
            .Reason("STREAM_FULL")
            .ToStatus());
  }
  SKERRY_ASSIGN_OR_RETURN(bool repeat, IsRepeat(event, stream.id));
  if (repeat) return Outcome(0);
  if (!fits) {
    SKERRY_ASSIGN_OR_RETURN(int64_t dropped, MakeRoom(stream, bytes));
    appended.dropped[event.stream] += dropped;
  }
  const uint64_t sequence = ++stream.stats.last_sequence;
  sqlite::Statement insert = database_->Prepare(
      "INSERT INTO event (stream, sequence, dropped_before, time_micros, key, value, size_bytes,"
      " open_micros, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
      " row_checksum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))");
  insert.Bind(1, stream.id).Bind(2, static_cast<int64_t>(sequence));
  insert.Bind(3, static_cast<int64_t>(std::exchange(stream.dropped, 0)));
  insert.Bind(4, absl::ToUnixMicros(event.time)).Bind(5, event.key).BindBlob(6, event.value);
  insert.Bind(7, bytes).Bind(8, open_time_.Micros());
  SKERRY_RETURN_IF_ERROR(insert.Run());
  if (++stream.stats.entries == 1) stream.oldest_open_micros = open_time_.Micros();
  stream.stats.size_bytes += bytes;
  return Outcome(sequence);
}

absl::StatusOr<bool> SqliteEventStore::IsRepeat(const NewEvent& event, int64_t stream) {
  if (event.producer.empty()) return false;
  {
    sqlite::Statement read =
        database_->Prepare("SELECT last_sequence FROM producer WHERE stream = ?1 AND name = ?2");
    read.Bind(1, stream).Bind(2, event.producer);
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (found && event.producer_sequence <= static_cast<uint64_t>(read.Int(0))) return true;
  }
  // `used` is an order, not a time.
  sqlite::Statement write = database_->Prepare(
      "INSERT OR REPLACE INTO producer (stream, name, last_sequence, used, checksum)"
      " SELECT ?1, ?2, ?3, next, row_checksum(?1, ?2, ?3, next)"
      " FROM (SELECT COALESCE(MAX(used), 0) + 1 AS next FROM producer WHERE stream = ?1)");
  write.Bind(1, stream).Bind(2, event.producer);
  write.Bind(3, static_cast<int64_t>(event.producer_sequence));
  SKERRY_RETURN_IF_ERROR(write.Run());
  sqlite::Statement forget = database_->Prepare(
      "DELETE FROM producer WHERE stream = ?1 AND used IN"
      " (SELECT used FROM producer WHERE stream = ?1 ORDER BY used DESC LIMIT -1 OFFSET ?2)");
  forget.Bind(1, stream).Bind(2, kProducersMax);
  SKERRY_RETURN_IF_ERROR(forget.Run());
  return false;
}

// ---- out ----

absl::StatusOr<int64_t> SqliteEventStore::MakeRoom(Stream& stream, int64_t bytes) {
  const int64_t entries = stream.stats.entries;
  const int64_t surplus = stream.stats.size_bytes + bytes - bounds_.stream_bytes_max;
  uint64_t up_to = 0;
  {
    sqlite::Statement read = database_->Prepare(
        "SELECT sequence, size_bytes FROM event WHERE stream = ?1 ORDER BY sequence");
    read.Bind(1, stream.id);
    for (int64_t freed = 0; freed < surplus;) {
      SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
      if (!found) break;
      up_to = static_cast<uint64_t>(read.Int(0));
      freed += read.Int(1);
    }
  }
  SKERRY_RETURN_IF_ERROR(Drop(stream, up_to));
  return entries - stream.stats.entries;
}

absl::Status SqliteEventStore::Drop(Stream& stream, uint64_t up_to) {
  uint64_t dropped = 0;
  {
    // What the dropped ones had to tell goes on to the next.
    sqlite::Statement count = database_->Prepare(
        "SELECT COUNT(*) + COALESCE(SUM(dropped_before), 0) FROM event"
        " WHERE stream = ?1 AND sequence <= ?2");
    count.Bind(1, stream.id).Bind(2, static_cast<int64_t>(up_to));
    SKERRY_ASSIGN_OR_RETURN(bool found, count.Step());
    if (found) dropped = static_cast<uint64_t>(count.Int(0));
  }
  SKERRY_RETURN_IF_ERROR(Delete(stream, up_to));
  if (stream.stats.entries == 0) {
    stream.dropped += dropped;
    return absl::OkStatus();
  }
  sqlite::Statement tell = database_->Prepare(
      "UPDATE event SET dropped_before = dropped_before + ?2, checksum = row_checksum(stream,"
      " sequence, dropped_before + ?2, time_micros, key, value, size_bytes, open_micros)"
      " WHERE stream = ?1 AND sequence ="
      " (SELECT MIN(sequence) FROM event WHERE stream = ?1)");
  tell.Bind(1, stream.id).Bind(2, static_cast<int64_t>(dropped));
  return tell.Run();
}

absl::Status SqliteEventStore::Delete(Stream& stream, uint64_t up_to) {
  {
    sqlite::Statement count = database_->Prepare(
        "SELECT COUNT(*), COALESCE(SUM(size_bytes), 0) FROM event"
        " WHERE stream = ?1 AND sequence <= ?2");
    count.Bind(1, stream.id).Bind(2, static_cast<int64_t>(up_to));
    SKERRY_ASSIGN_OR_RETURN(bool found, count.Step());
    if (!found) return absl::InternalError("no row of counts");
    stream.stats.entries -= count.Int(0);
    stream.stats.size_bytes -= count.Int(1);
  }
  {
    sqlite::Statement remove =
        database_->Prepare("DELETE FROM event WHERE stream = ?1 AND sequence <= ?2");
    remove.Bind(1, stream.id).Bind(2, static_cast<int64_t>(up_to));
    SKERRY_RETURN_IF_ERROR(remove.Run());
  }
  sqlite::Statement oldest = database_->Prepare(
      "SELECT open_micros FROM event WHERE stream = ?1 ORDER BY sequence LIMIT 1");
  oldest.Bind(1, stream.id);
  SKERRY_ASSIGN_OR_RETURN(bool found, oldest.Step());
  stream.oldest_open_micros = found ? oldest.Int(0) : 0;
  return absl::OkStatus();
}

absl::StatusOr<EventStore::Page> SqliteEventStore::Read(absl::string_view name, uint64_t after,
                                                        size_t count_max, size_t bytes_max) {
  Page page;
  auto it = streams_.find(name);
  if (it == streams_.end()) return page;
  size_t bytes = 0;
  sqlite::Statement read = database_->Prepare(
      "SELECT sequence, dropped_before, time_micros, key, value, checksum IN (-1,"
      " row_checksum(stream, sequence, dropped_before, time_micros, key, value, size_bytes,"
      " open_micros)) FROM event"
      " WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence");
  read.Bind(1, it->second.id).Bind(2, static_cast<int64_t>(after));
  while (true) {
    SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
    if (!found) return page;
    if (page.events.size() >= count_max || bytes >= bytes_max) {
      page.more = true;
      return page;
    }
    if (read.Int(5) == 0) {
      return database_->Damaged(
          absl::StrCat("event ", read.Int(0), " of ", name, " has another checksum"));
    }
    page.events.push_back({static_cast<uint64_t>(read.Int(0)), static_cast<uint64_t>(read.Int(1)),
                           absl::FromUnixMicros(read.Int(2)), read.Text(3), read.Text(4)});
    bytes += link::EventBytes(page.events.back());
  }
}

absl::Status SqliteEventStore::Trim(absl::string_view name, uint64_t up_to) {
  return Change([&](Streams& streams) -> absl::Status {
    auto it = streams.find(name);
    return it == streams.end() ? absl::OkStatus() : Delete(it->second, up_to);
  });
}

absl::StatusOr<std::map<std::string, int64_t>> SqliteEventStore::DropExpired() {
  std::map<std::string, int64_t> dropped;
  const int64_t open = open_time_.Micros();
  const int64_t limit = open - absl::ToInt64Microseconds(bounds_.age_max);
  SKERRY_RETURN_IF_ERROR(Change([&](Streams& streams) -> absl::Status {
    dropped.clear();
    for (auto& [name, stream] : streams) {
      if (stream.stats.entries == 0 || stream.oldest_open_micros >= limit) continue;
      uint64_t up_to = 0;
      {
        sqlite::Statement read = database_->Prepare(
            "SELECT MAX(sequence) FROM event WHERE stream = ?1 AND open_micros < ?2");
        read.Bind(1, stream.id).Bind(2, limit);
        SKERRY_ASSIGN_OR_RETURN(bool found, read.Step());
        if (found) up_to = static_cast<uint64_t>(read.Int(0));
      }
      const int64_t entries = stream.stats.entries;
      SKERRY_RETURN_IF_ERROR(Drop(stream, up_to));
      SKERRY_RETURN_IF_ERROR(Save(stream));
      dropped[name] = entries - stream.stats.entries;
    }
    sqlite::Statement update = database_->Prepare(
        "UPDATE store SET open_micros = ?1, checksum = row_checksum(store_id, ?1) WHERE id = 1");
    update.Bind(1, open);
    return update.Run();
  }));
  return dropped;
}

}  // namespace skerry::edgehub
