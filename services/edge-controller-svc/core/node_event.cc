#include "services/edge-controller-svc/core/node_event.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/model/event_name.h"
#include "services/lib/model/names.h"

namespace skerry::edgecontroller {
namespace {

using kubeapi::StringAt;

constexpr char kComponent[] = "edged";
constexpr size_t kIdMax = 64;
constexpr size_t kUidMax = 253;
constexpr size_t kFieldPathMax = 512;
constexpr size_t kReasonMax = 128;
constexpr size_t kMessageMax = 1024;

absl::Status Malformed(absl::string_view field, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("event: ", field, " ", what))
      .Reason("EVENT_MALFORMED")
      .Meta("field", field);
}

absl::Status CheckText(absl::string_view field, absl::string_view text, size_t min, size_t max) {
  if (text.size() >= min && text.size() <= max) return absl::OkStatus();
  return Malformed(field, absl::StrCat("has ", text.size(), " bytes; give ", min, " to ", max));
}

absl::Status CheckTime(absl::string_view field, const std::optional<absl::Time>& time) {
  const absl::Time year1 = absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone());
  const absl::Time year10000 = absl::FromCivil(absl::CivilYear(10000), absl::UTCTimeZone());
  if (time.has_value() && *time >= year1 && *time < year10000) return absl::OkStatus();
  return Malformed(field, "is not a time of the years 1 to 9999");
}

std::string Text(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::Status CheckFields(const NodeEventValue& event) {
  SKERRY_RETURN_IF_ERROR(CheckText("id", event.id, 1, kIdMax));
  SKERRY_RETURN_IF_ERROR(CheckText("uid", event.uid, 1, kUidMax));
  SKERRY_RETURN_IF_ERROR(CheckText("field_path", event.field_path, 0, kFieldPathMax));
  SKERRY_RETURN_IF_ERROR(CheckText("reason", event.reason, 1, kReasonMax));
  SKERRY_RETURN_IF_ERROR(CheckText("message", event.message, 0, kMessageMax));
  if (event.type.empty()) return Malformed("type", "is neither TYPE_NORMAL nor TYPE_WARNING");
  SKERRY_RETURN_IF_ERROR(CheckTime("first_time", event.first));
  SKERRY_RETURN_IF_ERROR(CheckTime("last_time", event.last));
  return event.count < 1 ? Malformed("count", "is below 1") : absl::OkStatus();
}

// Fills in what it is about.
absl::Status ReadObject(const NodeEventValue& event, absl::string_view node, NodeEvent& out) {
  if (event.kind == "Pod") {
    out.pod = absl::StrCat(event.object_namespace, "/", event.name);
    if (!ObjectKey::Parse(out.pod).ok())
      return Malformed("namespace, name", "are not those of a pod");
    out.object_namespace = event.object_namespace;
    return absl::OkStatus();
  }
  if (event.kind != "Node") return Malformed("kind", "is neither Pod nor Node");
  if (event.name != node || event.uid != node || !event.object_namespace.empty()) {
    return Error(absl::StatusCode::kPermissionDenied, "a node tells of itself only")
        .Reason("NOT_YOUR_NODE");
  }
  out.object_namespace = "default";  // Where Kubernetes has the events of what is in no namespace.
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<NodeEvent> ReadNodeEvent(const NodeEventValue& event, absl::string_view node) {
  SKERRY_RETURN_IF_ERROR(CheckFields(event));
  NodeEvent out;
  out.uid = event.uid;
  SKERRY_RETURN_IF_ERROR(ReadObject(event, node, out));
  out.name = EventName(event.name, *event.first, absl::StrCat(node, "|", event.uid, "|", event.id));
  nlohmann::json about = {
      {"apiVersion", "v1"}, {"kind", event.kind}, {"name", event.name}, {"uid", event.uid}};
  if (!event.object_namespace.empty()) about["namespace"] = event.object_namespace;
  if (!event.field_path.empty()) about["fieldPath"] = event.field_path;
  out.object = {{"apiVersion", "v1"},
                {"kind", "Event"},
                {"metadata", {{"name", out.name}, {"namespace", out.object_namespace}}},
                {"involvedObject", std::move(about)},
                {"type", event.type},
                {"reason", event.reason},
                {"message", event.message},
                {"source", {{"component", kComponent}, {"host", std::string(node)}}},
                {"reportingComponent", kComponent},
                {"reportingInstance", std::string(node)},
                {"firstTimestamp", Text(*event.first)},
                {"lastTimestamp", Text(*event.last)},
                {"count", event.count}};
  return out;
}

absl::StatusOr<std::string> PlanEventUpdate(const nlohmann::json& present, const NodeEvent& event) {
  if (StringAt(present, {"involvedObject", "uid"}) != event.uid ||
      StringAt(present, {"source", "host"}) != StringAt(event.object, {"source", "host"}) ||
      StringAt(present, {"source", "component"}) != kComponent) {
    return Error(absl::StatusCode::kPermissionDenied, "the Event of that name is another's")
        .Reason("NOT_YOUR_EVENT");
  }
  const int64_t count = kubeapi::IntAt(event.object, {"count"});
  if (kubeapi::IntAt(present, {"count"}) >= count) return std::string();
  const nlohmann::json patch = {
      {"metadata", {{"resourceVersion", StringAt(present, {"metadata", "resourceVersion"})}}},
      {"message", event.object["message"]},
      {"lastTimestamp", event.object["lastTimestamp"]},
      {"count", count}};
  return kubeapi::DumpJson(patch);
}

}  // namespace skerry::edgecontroller
