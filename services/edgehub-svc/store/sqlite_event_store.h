// EventStore in a SQLite file.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_EVENT_STORE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_EVENT_STORE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/store/event_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/open_time.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::edgehub {

// A commit survives power loss. Of a damaged file the events that can be read go into a new store,
// with a new id, which names the missing ones between them as dropped. One thread at a time. The
// clock outlives it.
class SqliteEventStore final : public EventStore {
 public:
  // `new_id` becomes the id of a store that is created.
  static absl::StatusOr<std::unique_ptr<SqliteEventStore>> Open(
      const std::string& path, const EventBounds& bounds, const std::string& new_id, Clock& clock,
      const sqlite::Environment& environment = {});

  const std::string& id() const override { return id_; }
  absl::Status Declare(const EventStream& stream) override;
  absl::StatusOr<Appended> Append(const std::vector<NewEvent>& events) override;
  absl::StatusOr<Page> Read(absl::string_view stream, uint64_t after, size_t count_max,
                            size_t bytes_max) override;
  absl::Status Trim(absl::string_view stream, uint64_t up_to) override;
  absl::StatusOr<std::map<std::string, int64_t>> DropExpired() override;
  std::map<std::string, StreamStats> stats() const override;

  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  struct Stream {
    int64_t id = 0;
    WhenFull when_full = WhenFull::kDropOldest;
    uint64_t dropped = 0;            // Since the last event that is there.
    int64_t oldest_open_micros = 0;  // When the oldest event was stored, where there is one.
    StreamStats stats;               // But for oldest_time, which follows the clocks.
  };
  using Streams = std::map<std::string, Stream, std::less<>>;

  SqliteEventStore(std::unique_ptr<sqlite::Database> database, const EventBounds& bounds,
                   Clock& clock)
      : database_(std::move(database)), bounds_(bounds), open_time_(clock) {}

  absl::Status Load(const std::string& new_id);
  absl::Status LoadStreams();
  // Runs `body` over a copy of the streams in one transaction, and keeps it once that is committed.
  absl::Status Change(absl::FunctionRef<absl::Status(Streams&)> body);
  // The following are parts of a transaction.
  absl::StatusOr<absl::StatusOr<uint64_t>> AppendOne(const NewEvent& event, Streams& streams,
                                                     Appended& appended);
  absl::StatusOr<bool> IsRepeat(const NewEvent& event, int64_t stream);
  absl::StatusOr<int64_t> MakeRoom(Stream& stream, int64_t bytes);
  // Drops the stream's events up to `up_to` and tells the next one.
  absl::Status Drop(Stream& stream, uint64_t up_to);
  absl::Status Delete(Stream& stream, uint64_t up_to);
  absl::Status Save(const Stream& stream);

  const std::unique_ptr<sqlite::Database> database_;
  const EventBounds bounds_;
  sqlite::OpenTime open_time_;
  std::string id_;
  Streams streams_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_SQLITE_EVENT_STORE_H_
