// The MQTT topics of KubeEdge's edge core: which are heard and what they mean, which are published.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPICS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPICS_H_

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

inline constexpr size_t kMqttTopicBytesMax = 65535;  // The length has two bytes on the wire.
// What we take. The longest topic of a device has 356 bytes.
inline constexpr size_t kTopicBytesMax = 1024;

inline constexpr char kUploadRecordsTopic[] = "SYS/dis/upload_records";

// `$hw/events/device/<namespace>/<name>/twin/update`
struct TwinUpdateTopic {
  DeviceName device;
  bool operator==(const TwinUpdateTopic&) const = default;
};
// `$hw/events/device/<namespace>/<name>/twin/get`
struct TwinGetTopic {
  DeviceName device;
  bool operator==(const TwinGetTopic&) const = default;
};
// `$hw/events/device/<namespace>/<name>/state/update`
struct StateUpdateTopic {
  DeviceName device;
  bool operator==(const StateUpdateTopic&) const = default;
};
// `$hw/events/node/<node>/membership/get`
struct MembershipGetTopic {
  NodeName node;
  bool operator==(const MembershipGetTopic&) const = default;
};
// `$hw/events/upload/#`: the topic goes to the cloud whole, as do the next two.
struct UploadTopic {
  bool operator==(const UploadTopic&) const = default;
};
// `SYS/dis/upload_records`
struct UploadRecordsTopic {
  bool operator==(const UploadRecordsTopic&) const = default;
};
// `+/user/#`
struct UserTopic {
  bool operator==(const UserTopic&) const = default;
};
// No topic of KubeEdge's set. The cloud's router may have asked for it.
struct OtherTopic {
  bool operator==(const OtherTopic&) const = default;
};

using IncomingTopic = std::variant<OtherTopic, TwinUpdateTopic, TwinGetTopic, StateUpdateTopic,
                                   MembershipGetTopic, UploadTopic, UploadRecordsTopic, UserTopic>;

// INVALID_ARGUMENT for what nobody may publish on: empty, too long, an empty level, a wildcard,
// NUL, not UTF-8. (MQTT allows empty levels; nothing of KubeEdge's has one, and each is a typing
// error.)
absl::Status CheckTopicName(absl::string_view topic);

// The meaning of a published message's topic. INVALID_ARGUMENT as CheckTopicName, and where a topic
// of ours names a device or node that Kubernetes could not have.
absl::StatusOr<IncomingTopic> ParseTopic(absl::string_view topic);

// A filter that somebody wishes to have beside SubscribedTopicFilters: as MQTT defines them, at
// most 320 bytes, without empty levels, and not of topics that begin with '$': among these are our
// own answers. INVALID_ARGUMENT / TOPIC_FILTER_INVALID.
absl::Status CheckUserTopicFilter(absl::string_view filter);

// What to subscribe to, so that ParseTopic gets all that it knows.
std::vector<std::string> SubscribedTopicFilters();

std::string TwinUpdateResultTopic(const DeviceName& device);
std::string TwinUpdateDocumentTopic(const DeviceName& device);
std::string TwinUpdateDeltaTopic(const DeviceName& device);
std::string TwinGetResultTopic(const DeviceName& device);
std::string StateUpdateResultTopic(const DeviceName& device);
std::string DeviceUpdatedTopic(const DeviceName& device);  // Attributes.
std::string MembershipGetResultTopic(const NodeName& node);
std::string MembershipUpdatedTopic(const NodeName& node);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_TOPICS_H_
