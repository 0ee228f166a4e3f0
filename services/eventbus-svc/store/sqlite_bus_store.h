// What eventbus-svc must not lose: publications that wait for the broker, user messages that wait
// for edgehub-svc, and which state of each twin MQTT clients were told of. In a SQLite file.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_STORE_SQLITE_BUS_STORE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_STORE_SQLITE_BUS_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/store/bus_change.h"
#include "services/lib/base/clock.h"
#include "services/lib/model/names.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/open_time.h"
#include "services/lib/sqlite/storage.h"

namespace skerry::eventbus {

struct BusBounds {
  int64_t publications_bytes_max = 32 << 20;
  int64_t uploads_bytes_max = 32 << 20;
  absl::Duration age_max = absl::Hours(24);  // Of the time that the service runs.
};

// Where there is no room the oldest make it. One thread at a time. Of a damaged file what can be
// read goes into a new one.
class SqliteBusStore final {
 public:
  struct Waiting {
    int64_t entries = 0;
    int64_t size_bytes = 0;  // Topics and payloads, and 64 bytes for each.
  };
  struct Stats {
    Waiting publications;
    Waiting uploads;
  };
  // What was given up.
  struct Dropped {
    int64_t publications = 0;
    int64_t replaced = 0;  // Publications: a newer state of their topic came, or none at all.
    int64_t uploads = 0;
    int64_t repeated = 0;  // User messages that the broker has sent before.
  };

  // `new_id` is taken if the store is a new one. The clock outlives it.
  static absl::StatusOr<std::unique_ptr<SqliteBusStore>> Open(
      const std::string& path, const BusBounds& bounds, const std::string& new_id, Clock& clock,
      const sqlite::Environment& environment = {});

  // New with every new store: sequences count within it.
  const std::string& id() const { return id_; }

  // All in one commit, in order; an error means that nothing was done. A publication or message
  // that is larger than the whole bound counts as dropped.
  absl::StatusOr<Dropped> Apply(const std::vector<const BusChange*>& changes);
  // Drops what is older than the bound. To be called now and then: a crash takes back the ageing
  // since the last call.
  absl::StatusOr<Dropped> DropExpired();

  // Those above `after`: at most `count_max`, and no further one once there are `bytes_max`.
  absl::StatusOr<std::vector<WaitingPublication>> ReadPublications(uint64_t after, size_t count_max,
                                                                   size_t bytes_max);
  absl::StatusOr<std::vector<WaitingUpload>> ReadUploads(uint64_t after, size_t count_max,
                                                         size_t bytes_max);
  absl::StatusOr<std::map<DeviceName, SeenTwin>> ReadSeen();
  absl::StatusOr<std::set<std::string>> ReadRuleFilters();

  Stats stats() const { return state_.stats; }
  // What was done at Open, where the file was damaged.
  const std::optional<sqlite::Repair>& repair() const { return database_->repair(); }

 private:
  // What a transaction changes besides rows; it counts once that is committed.
  struct State {
    uint64_t last_publication = 0;  // Ever given.
    uint64_t last_upload = 0;
    Stats stats;
  };

  SqliteBusStore(std::unique_ptr<sqlite::Database> database, const BusBounds& bounds, Clock& clock)
      : database_(std::move(database)), bounds_(bounds), open_time_(clock) {}

  absl::Status Load(const std::string& new_id);
  absl::Status Change(absl::FunctionRef<absl::Status(State&)> body);
  // Parts of a transaction.
  absl::Status ApplyOne(const BusChange& change, State& state, Dropped& dropped);
  absl::Status Publish(const Publication& publication, State& state, Dropped& dropped);
  // Of a publication of the topic that nobody has read yet; 0: there is none. A state that replaces
  // another one takes its place: at the end it would never have its turn while its device has more
  // to tell than the broker takes.
  absl::StatusOr<uint64_t> PlaceOf(const std::string& topic);
  absl::Status Receive(const UserUpload& upload, State& state, Dropped& dropped);
  absl::Status SetRuleFilter(const std::string& filter, bool subscribed);
  absl::Status See(const DeviceName& device, const std::optional<SeenTwin>& seen);
  // How many were deleted.
  absl::StatusOr<int64_t> DeletePublication(uint64_t id, Waiting& waiting);
  absl::StatusOr<int64_t> DeletePublicationsOf(absl::string_view topic, Waiting& waiting);
  // Those whose `column` is at most `value`.
  absl::StatusOr<int64_t> DeleteUpTo(absl::string_view table, absl::string_view column,
                                     int64_t value, Waiting& waiting);
  // The oldest go until `bytes` more fit; how many.
  absl::StatusOr<int64_t> MakeRoom(absl::string_view table, absl::string_view column, int64_t bytes,
                                   int64_t bytes_max, Waiting& waiting);

  const std::unique_ptr<sqlite::Database> database_;
  const BusBounds bounds_;
  sqlite::OpenTime open_time_;
  std::string id_;
  State state_;
  uint64_t last_read_ =
      0;  // The greatest id of a publication that ReadPublications has given away.
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_STORE_SQLITE_BUS_STORE_H_
