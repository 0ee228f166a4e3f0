// The cloud's side of twins: what each property is at, and was.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
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

// The twin of a device, as the registry has recorded the device.
struct TwinKey {
  DeviceName device;
  std::string uid;
  int64_t incarnation = 0;  // DeviceRecord::incarnation: it orders the uids of a name.
};

enum class TwinSide { kDesired, kReported };

// By which a value is newer than another one: no clock orders anything (ADR 11). Below 2^63 each.
struct TwinOrder {
  uint64_t major = 0;  // Reported: the node's session epoch. Desired: the Device's generation.
  uint64_t minor = 0;  // Reported: the report's sequence. Desired: 0.

  auto operator<=>(const TwinOrder&) const = default;
};

// All times are kept in whole microseconds (UTC). `time` is the writer's, for people.
struct ReportedValue {
  std::string property;
  std::optional<std::string> value;  // None: the device has no such property any more.
  std::map<std::string, std::string> metadata;
  std::string writer;
  absl::Time time;
  TwinOrder order;
};

struct DesiredValue {
  std::string property;
  std::optional<std::string> value;  // None: nothing is desired any more.
  std::string writer;
  absl::Time time;
  int64_t generation = 0;
};

struct AppliedValues {
  std::vector<std::string> properties;  // In the order of the call.
  // The store knows a later device of that name, or that this one is gone: nothing was applied.
  bool former = false;
};

struct TwinEntry {
  std::string property;
  TwinSide side = TwinSide::kReported;
  std::string uid;  // Of the device that it was of.
  std::optional<std::string> value;
  std::map<std::string, std::string> metadata;
  std::string writer;
  absl::Time time;
  TwinOrder order;
  // By the store's clock: those of later calls for a device are later, whatever that clock does.
  absl::Time arrive_time;
  std::optional<absl::Time> replace_time;  // None: it is the present one.
};

struct HistoryQuery {
  std::string property;
  TwinSide side = TwinSide::kReported;
  // Of arrival, without its end. The next page begins at the last entry's + 1 us, or ends at it
  // where the newest come first: an entry of a property and side has its time for itself.
  absl::Time from = absl::InfinitePast();
  absl::Time to = absl::InfiniteFuture();
  bool newest_first = false;
  size_t count_max = 50;  // 1 to kPageMax.
};

// The store is the truth, and may be shared by several controllers: a property never goes back to
// what was replaced (D1), whoever writes, how late, and how often. Whatever returned OK survives a
// crash and a loss of power. Any thread may call it; calls block. What is out of bounds is
// INVALID_ARGUMENT.
class TwinHistoryStore {
 public:
  static constexpr size_t kPropertiesMax = 1000;  // Of a device's twin, each side.
  static constexpr size_t kValueBytesMax = 32 << 10;
  static constexpr size_t kMetadataBytesMax = 8 << 10;  // Keys and values together.
  static constexpr size_t kNameBytesMax = 256;          // Of property, writer and uid, each.
  static constexpr size_t kApplyMax = 1000;             // Values of a call,
  static constexpr size_t kApplyBytesMax = 4 << 20;     // and their bytes.
  static constexpr size_t kPageMax = 1000;
  static constexpr int64_t kDropMax = 10000;

  virtual ~TwinHistoryStore() = default;

  // Each value whose order is above that of the property's last one becomes the present one and
  // part of the history; the others change nothing. All in one transaction. A property is there
  // once at most. A higher incarnation is another device: its twin begins anew.
  // RESOURCE_EXHAUSTED / TWIN_FULL beyond kPropertiesMax. FAILED_PRECONDITION / UID_MISMATCH where
  // the incarnation is known with another uid.
  virtual absl::StatusOr<AppliedValues> ApplyReported(const TwinKey& twin,
                                                      absl::Span<const ReportedValue> values) = 0;
  virtual absl::StatusOr<AppliedValues> ApplyDesired(const TwinKey& twin,
                                                     absl::Span<const DesiredValue> values) = 0;
  // The device was deleted: from now on its twin has no values, and takes none of this incarnation.
  // False where that is so already.
  virtual absl::StatusOr<bool> End(const TwinKey& twin) = 0;

  // By property, desired before reported.
  virtual absl::StatusOr<std::vector<TwinEntry>> Current(const DeviceName& device) = 0;
  virtual absl::StatusOr<std::vector<TwinEntry>> History(const DeviceName& device,
                                                         const HistoryQuery& query) = 0;
  // What Current would have said at that time, by times of arrival; of times before the last
  // DropHistoryBefore only a part.
  virtual absl::StatusOr<std::vector<TwinEntry>> StateAt(const DeviceName& device,
                                                         absl::Time time) = 0;

  // Forgets what had been replaced by then: StateAt of that time and later is as before. Up to
  // kDropMax entries; how many: call again while it is not 0.
  virtual absl::StatusOr<int64_t> DropHistoryBefore(absl::Time time) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_HISTORY_STORE_H_
