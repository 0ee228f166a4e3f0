#include "services/lib/kubeclient/event_recorder.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/model/event_name.h"

namespace skerry::kubeclient {
namespace {

constexpr size_t kWaitingMax = 256;
constexpr size_t kMessageMax = 1024;  // Kubernetes' own bound.

}  // namespace

EventRecorder::EventRecorder(Client& client, absl::string_view component, Clock& clock,
                             prometheus::Counter& dropped, log::Logger log)
    : client_(client),
      component_(component),
      clock_(clock),
      dropped_(dropped),
      log_(log),
      pool_("events", 1, kWaitingMax) {}

EventRecorder::~EventRecorder() { Stop(); }

void EventRecorder::Stop() {
  stop_.request_stop();
  pool_.Stop();
}

void EventRecorder::Warn(const KubeObject& about, absl::string_view node, absl::string_view reason,
                         absl::string_view message) {
  const bool taken =
      pool_.TrySubmit([this, about, node = std::string(node), reason = std::string(reason),
                       message = std::string(message.substr(0, kMessageMax))] {
        if (stop_.stop_requested()) return;
        absl::Status status = Record(about, node, reason, message);
        if (status.ok()) return;
        dropped_.Increment();
        log_.Warning("cannot record an Event", status, {{"key", about.key()}});
      });
  if (!taken) dropped_.Increment();
}

absl::Status EventRecorder::Record(const KubeObject& about, const std::string& node,
                                   const std::string& reason, const std::string& message) {
  const CallOptions call{.stop = stop_.get_token()};
  const std::string ns = about.object_namespace().empty() ? "default" : about.object_namespace();
  const std::string now = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", clock_.Now(), absl::UTCTimeZone());
  const std::string identity = absl::StrCat(about.uid(), "|", node, "|", reason, "|", message);
  const std::string name = EventName(about.name(), identity);

  const nlohmann::json event = {{"apiVersion", "v1"},
                                {"kind", "Event"},
                                {"metadata", {{"name", name}, {"namespace", ns}}},
                                {"involvedObject",
                                 {{"apiVersion", about.api_version()},
                                  {"kind", about.kind()},
                                  {"namespace", about.object_namespace()},
                                  {"name", about.name()},
                                  {"uid", about.uid()},
                                  {"resourceVersion", about.resource_version()}}},
                                {"type", "Warning"},
                                {"reason", reason},
                                {"message", message},
                                {"source", {{"component", component_}, {"host", node}}},
                                {"reportingComponent", component_},
                                {"reportingInstance", node},
                                {"firstTimestamp", now},
                                {"lastTimestamp", now},
                                {"count", 1}};
  absl::Status created = client_.Create(Events(), ns, kubeapi::DumpJson(event), call).status();
  if (!absl::IsAlreadyExists(created)) return created;
  SKERRY_ASSIGN_OR_RETURN(KubeObject present, client_.Get(Events(), ns, name, call));
  const int64_t count = kubeapi::IntAt(present.Json(), {"count"}, 1);
  const nlohmann::json patch = {{"count", count + 1}, {"lastTimestamp", now}};
  return client_
      .Patch(Events(), ns, name, PatchType::kMerge, kubeapi::DumpJson(patch), {.call = call})
      .status();
}

}  // namespace skerry::kubeclient
