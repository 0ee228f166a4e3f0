// What both implementations of TwinHistoryStore decide alike.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_RULES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_RULES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/device-controller-svc/store/twin_history_store.h"

namespace skerry::devicecontroller::twin_rules {

// A value of either side, checked, as it is stored.
struct Write {
  std::string property;
  std::optional<std::string> value;
  std::string metadata;  // JSON in ASCII; empty: none.
  std::string writer;
  int64_t time_micros = 0;
  TwinOrder order;
};

absl::StatusOr<std::vector<Write>> Checked(absl::Span<const ReportedValue> values);
absl::StatusOr<std::vector<Write>> Checked(absl::Span<const DesiredValue> values);
absl::Status CheckKey(const TwinKey& twin);
absl::Status CheckQuery(const HistoryQuery& query);

// What is known of a device beside its values.
struct DeviceState {
  std::string uid;
  int64_t incarnation = 0;
  bool ended = false;
  int64_t last_micros = 0;  // The last time of arrival.
};

enum class Standing {
  kAnew,     // A device that the store does not know yet: what was of a former one ends.
  kPresent,  // The one that it knows.
  kFormer,   // One that is gone.
};
absl::StatusOr<Standing> StandingOf(const TwinKey& twin, const std::optional<DeviceState>& known);

// The time of arrival of what comes now.
int64_t ArrivalMicros(const std::optional<DeviceState>& known, int64_t now_micros);

// Those above what is stored.
std::vector<Write> Newer(std::vector<Write> writes, const std::map<std::string, TwinOrder>& stored);
// Whether some are of properties that are not stored yet.
bool AddsProperties(const std::vector<Write>& newer,
                    const std::map<std::string, TwinOrder>& stored);
// RESOURCE_EXHAUSTED / TWIN_FULL.
absl::Status CheckRoom(const TwinKey& twin, int64_t properties);

std::vector<std::string> Properties(const std::vector<Write>& writes);
// DATA_LOSS.
absl::StatusOr<std::map<std::string, std::string>> ReadMetadata(const std::string& text);

}  // namespace skerry::devicecontroller::twin_rules

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_TWIN_RULES_H_
