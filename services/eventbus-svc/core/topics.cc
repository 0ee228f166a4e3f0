#include "services/eventbus-svc/core/topics.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/eventbus-svc/core/utf8.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::eventbus {
namespace {

constexpr char kDevicePrefix[] = "$hw/events/device/";
constexpr char kNodePrefix[] = "$hw/events/node/";
constexpr char kUploadPrefix[] = "$hw/events/upload";

constexpr char kTwinUpdate[] = "/twin/update";
constexpr char kTwinGet[] = "/twin/get";
constexpr char kStateUpdate[] = "/state/update";
constexpr char kMembershipGet[] = "/membership/get";
constexpr char kResult[] = "/result";

// Without the topic itself, which may be no text at all.
Error BadTopic(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("MQTT topic ", why))
      .Reason("TOPIC_INVALID");
}

template <typename Topic>
absl::StatusOr<IncomingTopic> OfDevice(absl::string_view device) {
  SKERRY_ASSIGN_OR_RETURN(DeviceName name, DeviceName::Parse(device));
  return Topic{std::move(name)};
}

// `rest` follows kDevicePrefix: "<namespace>/<name>/twin/update".
absl::StatusOr<IncomingTopic> ParseDeviceTopic(absl::string_view rest) {
  // A device takes two levels. Result topics are longer, so what we publish is not ours to hear.
  const std::vector<absl::string_view> levels = absl::StrSplit(rest, '/');
  if (levels.size() != 4) return OtherTopic{};
  if (absl::ConsumeSuffix(&rest, kTwinUpdate)) return OfDevice<TwinUpdateTopic>(rest);
  if (absl::ConsumeSuffix(&rest, kTwinGet)) return OfDevice<TwinGetTopic>(rest);
  if (absl::ConsumeSuffix(&rest, kStateUpdate)) return OfDevice<StateUpdateTopic>(rest);
  return OtherTopic{};
}

absl::StatusOr<IncomingTopic> ParseNodeTopic(absl::string_view rest) {
  if (!absl::ConsumeSuffix(&rest, kMembershipGet) || absl::StrContains(rest, '/'))
    return OtherTopic{};
  SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeName::Parse(rest));
  return MembershipGetTopic{std::move(node)};
}

// As MQTT matches `+/user/#`: the parent level too, but no topic that begins with '$'.
bool IsUserTopic(absl::string_view topic) {
  if (topic.front() == '$') return false;
  const size_t slash = topic.find('/');
  if (slash == absl::string_view::npos) return false;
  const absl::string_view rest = topic.substr(slash);
  return rest == "/user" || absl::StartsWith(rest, "/user/");
}

std::string DeviceTopic(const DeviceName& device, absl::string_view suffix,
                        absl::string_view suffix2 = "") {
  return absl::StrCat(kDevicePrefix, device.value(), suffix, suffix2);
}

}  // namespace

absl::Status CheckTopicName(absl::string_view topic) {
  if (topic.empty()) return BadTopic("is empty: give at least one character");
  if (topic.size() > kMqttTopicBytesMax) {
    return BadTopic(absl::StrCat("has ", topic.size(), " bytes: MQTT allows ", kMqttTopicBytesMax));
  }
  if (topic.size() > kTopicBytesMax) {
    return BadTopic(absl::StrCat("has ", topic.size(), " bytes: use at most ", kTopicBytesMax));
  }
  if (absl::StrContains(topic, '\0')) return BadTopic("has a NUL: leave it out");
  if (topic.find_first_of("+#") != absl::string_view::npos)
    return BadTopic("has a wildcard, + or #: only a subscription's filter may");
  if (topic.front() == '/' || topic.back() == '/' || absl::StrContains(topic, "//"))
    return BadTopic("has an empty level: remove leading, trailing and double slashes");
  if (!IsUtf8(topic)) return BadTopic("is not UTF-8");
  return absl::OkStatus();
}

absl::StatusOr<IncomingTopic> ParseTopic(absl::string_view topic) {
  SKERRY_RETURN_IF_ERROR(CheckTopicName(topic));
  absl::string_view rest = topic;
  if (absl::ConsumePrefix(&rest, kDevicePrefix)) return ParseDeviceTopic(rest);
  if (absl::ConsumePrefix(&rest, kNodePrefix)) return ParseNodeTopic(rest);
  if (absl::ConsumePrefix(&rest, kUploadPrefix) && (rest.empty() || rest.front() == '/'))
    return UploadTopic{};
  if (topic == kUploadRecordsTopic) return UploadRecordsTopic{};
  if (IsUserTopic(topic)) return UserTopic{};
  return OtherTopic{};
}

absl::Status CheckUserTopicFilter(absl::string_view filter) {
  const auto bad = [&](absl::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("MQTT topic filter '", absl::CHexEscape(filter.substr(0, 320)), "' ",
                              why))
        .Reason("TOPIC_FILTER_INVALID")
        .ToStatus();
  };
  if (filter.empty() || filter.size() > 320) return bad("must have 1 to 320 bytes");
  if (!IsUtf8(filter) || absl::StrContains(filter, '\0')) return bad("must be UTF-8 without NUL");
  if (filter.front() == '$') return bad("is for topics of the system: use one without '$'");
  const std::vector<absl::string_view> levels = absl::StrSplit(filter, '/');
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].empty()) return bad("has an empty level: remove the slash");
    if (levels[i].size() > 1 && levels[i].find_first_of("+#") != absl::string_view::npos)
      return bad("has a wildcard within a level: + and # are whole levels");
    if (levels[i] == "#" && i + 1 < levels.size()) return bad("has a # that is not its last level");
  }
  return absl::OkStatus();
}

std::vector<std::string> SubscribedTopicFilters() {
  // KubeEdge has twin/+, which adds nothing that anyone answers (cloud_updated is for its own use).
  const std::string any_device = absl::StrCat(kDevicePrefix, "+/+");
  return {
      absl::StrCat(any_device, kTwinUpdate),
      absl::StrCat(any_device, kTwinGet),
      absl::StrCat(any_device, kStateUpdate),
      absl::StrCat(kNodePrefix, "+", kMembershipGet),
      absl::StrCat(kUploadPrefix, "/#"),
      kUploadRecordsTopic,
      "+/user/#",
  };
}

std::string TwinUpdateResultTopic(const DeviceName& device) {
  return DeviceTopic(device, kTwinUpdate, kResult);
}

std::string TwinUpdateDocumentTopic(const DeviceName& device) {
  return DeviceTopic(device, kTwinUpdate, "/document");
}

std::string TwinUpdateDeltaTopic(const DeviceName& device) {
  return DeviceTopic(device, kTwinUpdate, "/delta");
}

std::string TwinGetResultTopic(const DeviceName& device) {
  return DeviceTopic(device, kTwinGet, kResult);
}

std::string StateUpdateResultTopic(const DeviceName& device) {
  return DeviceTopic(device, kStateUpdate, kResult);
}

std::string DeviceUpdatedTopic(const DeviceName& device) { return DeviceTopic(device, "/updated"); }

std::string MembershipGetResultTopic(const NodeName& node) {
  return absl::StrCat(kNodePrefix, node.value(), kMembershipGet, kResult);
}

std::string MembershipUpdatedTopic(const NodeName& node) {
  return absl::StrCat(kNodePrefix, node.value(), "/membership/updated");
}

}  // namespace skerry::eventbus
