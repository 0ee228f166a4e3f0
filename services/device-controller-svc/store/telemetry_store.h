// Telemetry of devices: readings, as their boxes sent them.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/lib/model/names.h"

namespace skerry::devicecontroller {

// Which events of a box's stream (ADR 16) are appended: `first` to `last`, from 1.
struct TelemetryEvents {
  std::string node;
  std::string store_id;  // Of the box's event store: another one counts anew.
  std::string stream;
  uint64_t first = 0;
  uint64_t last = 0;
};

// All times are kept in whole microseconds (UTC).
struct TelemetryRow {
  uint64_t sequence = 0;  // Of its event; several rows may be of one.
  DeviceName device;
  std::string model;  // The device's, "namespace/name", by which its readings are kept.
  std::string property;
  absl::Time time;  // The device's.
  std::string value;
};

struct AppendedTelemetry {
  int64_t appended = 0;
  int64_t skipped = 0;  // They had been appended.
  uint64_t last = 0;    // The last event of the stream that is in the store.
};

// Readings of one time are in the order in which they came.
struct ReadingPosition {
  absl::Time time;
  int64_t tie = 0;

  bool operator==(const ReadingPosition&) const = default;
};

struct Reading {
  ReadingPosition position;
  std::string value;
  std::optional<double> number;  // Where the value is one.
};

struct TelemetryQuery {
  std::string property;
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();  // Without it.
  bool newest_first = false;
  std::optional<ReadingPosition> after;  // Of the last page's last reading.
  size_t count_max = 50;                 // 1 to kPageMax.
};

// Of the readings that are numbers.
struct TelemetryBucket {
  absl::Time start;
  int64_t count = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double first = 0;
  double last = 0;
};

// The store is the truth, and may be shared by several controllers. Whatever returned OK survives a
// crash and a loss of power. Any thread may call it; calls block. What is out of bounds is
// INVALID_ARGUMENT.
class TelemetryStore {
 public:
  static constexpr size_t kRowsMax = 1000;            // Of an Append,
  static constexpr size_t kAppendBytesMax = 4 << 20;  // and their bytes.
  static constexpr size_t kValueBytesMax = 32 << 10;
  static constexpr size_t kNameBytesMax = 256;   // Of every name, each; but
  static constexpr size_t kModelBytesMax = 320;  // of a model, which has its namespace before it.
  static constexpr size_t kPageMax = 1000;
  static constexpr int64_t kBucketsMax = 10000;
  static constexpr int64_t kDropMax = 10000;
  static constexpr int64_t kStoresMax = 16;  // Event stores remembered of a node's stream.
  // A reading whose time is further from that of its arrival is kept by its arrival: a device's
  // clock that is years off neither loses its readings at once nor keeps them for ever.
  static constexpr absl::Duration kPastMax = absl::Hours(24 * 400);
  static constexpr absl::Duration kFutureMax = absl::Hours(24 * 2);

  virtual ~TelemetryStore() = default;

  // Rows of events that the stream has had are skipped, so that each has its effect once however
  // often it is sent; rows and the stream's place are one transaction. Rows may be none.
  virtual absl::StatusOr<AppendedTelemetry> Append(const TelemetryEvents& events,
                                                   absl::Span<const TelemetryRow> rows) = 0;
  // By time, then by arrival.
  virtual absl::StatusOr<std::vector<Reading>> Query(const DeviceName& device,
                                                     const TelemetryQuery& query) = 0;
  // Buckets of `width` from `from` on to `to`, without it; those that have readings.
  virtual absl::StatusOr<std::vector<TelemetryBucket>> Aggregate(const DeviceName& device,
                                                                 absl::string_view property,
                                                                 absl::Time from, absl::Time to,
                                                                 absl::Duration width) = 0;
  // Every model that DropBefore has something to do with, those that are gone by now, too.
  virtual absl::StatusOr<std::vector<std::string>> Models() = 0;
  // Forgets readings before that time, of devices whose last reading of the property had that
  // model. Some of it, where that is much; how many: call again while it is not 0.
  virtual absl::StatusOr<int64_t> DropBefore(absl::string_view model, absl::Time time) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TELEMETRY_STORE_H_
