#include "services/edge-controller-svc/upstream_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/skerry/edged/v1/event.pb.h"
#include "services/edge-controller-svc/core/object_ref.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {
namespace {

constexpr int kConflictRetries = 5;

// The moment is at fault. Anything else that the API server says (a namespace that ends, a missing
// right) would hold up the node's later events: this one is given up.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

std::optional<absl::Time> TimeOf(bool there, const google::protobuf::Timestamp& time) {
  if (!there) return std::nullopt;
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::StatusOr<NodeEventValue> Parse(const std::string& value) {
  edged::v1::KubernetesEvent event;
  if (!event.ParseFromString(value)) {
    return Error(absl::StatusCode::kInvalidArgument, "not a skerry.edged.v1.KubernetesEvent")
        .Reason("EVENT_MALFORMED");
  }
  return NodeEventValue{.id = event.id(),
                        .kind = event.kind(),
                        .object_namespace = event.namespace_(),
                        .name = event.name(),
                        .uid = event.uid(),
                        .field_path = event.field_path(),
                        .type = event.type() == edged::v1::KubernetesEvent::TYPE_NORMAL ? "Normal"
                                : event.type() == edged::v1::KubernetesEvent::TYPE_WARNING
                                    ? "Warning"
                                    : "",
                        .reason = event.reason(),
                        .message = event.message(),
                        .first = TimeOf(event.has_first_time(), event.first_time()),
                        .last = TimeOf(event.has_last_time(), event.last_time()),
                        .count = event.count()};
}

}  // namespace

UpstreamEvents::UpstreamEvents(Options options, kubeclient::Client& client, Cache cache,
                               cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                               EdgeControllerMetrics& metrics, log::Logger log)
    : client_(client),
      cache_(std::move(cache)),
      metrics_(metrics),
      applier_({.stream = kStream,
                .workers = options.workers,
                .bytes_max_per_node = options.bytes_max_per_node,
                .backoff_max = options.backoff_max},
               *this, sessions, std::move(answer), clock, metrics.event_controller, metrics.hubs,
               log) {}

void UpstreamEvents::Stop() {
  stop_.request_stop();
  applier_.Stop();
}

UpstreamEvents::Applied UpstreamEvents::Apply(const std::string& node,
                                              const cloudspoke::EventInbox::Batch& batch) {
  Applied applied;
  for (const cloudspoke::InboxEvent& event : batch.events) {
    const Result result = ApplyOne(node, event.value);
    if (!result.ok() && MayPass(result.status())) {
      applied.waits = result.status();
      break;
    }
    metrics_.NodeEvent(result.ok() ? *result : "rejected").Increment();
    applied.results.push_back(result.status());
  }
  return applied;
}

void UpstreamEvents::Deferred() { metrics_.NodeEvent("deferred").Increment(); }

UpstreamEvents::Result UpstreamEvents::ApplyOne(const std::string& node, const std::string& value) {
  SKERRY_ASSIGN_OR_RETURN(const NodeEventValue parsed, Parse(value));
  SKERRY_ASSIGN_OR_RETURN(const NodeEvent event, ReadNodeEvent(parsed, node));
  if (!event.pod.empty()) {
    // The pod went to the node out of this very cache, or out of an older one of another leader's.
    const std::optional<KubeObject> pod = cache_(kPods, event.pod);
    if (!pod.has_value() || pod->uid() != event.uid) return std::string("gone");
    if (kubeapi::StringAt(pod->Json(), {"spec", "nodeName"}) != node) {
      return Error(absl::StatusCode::kPermissionDenied, "the pod is bound to another node")
          .Reason("NOT_YOUR_POD");
    }
  }
  return Write(event);
}

UpstreamEvents::Result UpstreamEvents::Write(const NodeEvent& event) {
  const bool first = kubeapi::IntAt(event.object, {"count"}) == 1;
  for (int attempt = 0; attempt < kConflictRetries; ++attempt) {
    // Most events happen once: those are not there yet.
    absl::StatusOr<KubeObject> present = absl::NotFoundError("");
    if (!first || attempt > 0) {
      present = client_.Get(kubeclient::Events(), event.object_namespace, event.name, Call());
      if (!present.ok() && !absl::IsNotFound(present.status())) return present.status();
    }
    if (!present.ok()) {
      const absl::Status created = client_
                                       .Create(kubeclient::Events(), event.object_namespace,
                                               kubeapi::DumpJson(event.object), Call())
                                       .status();
      if (created.ok()) return std::string("created");
      if (absl::IsNotFound(created)) return std::string("gone");  // So is the namespace.
      if (!absl::IsAlreadyExists(created)) return created;
      continue;
    }
    SKERRY_ASSIGN_OR_RETURN(const std::string patch, PlanEventUpdate(present->Json(), event));
    if (patch.empty()) return std::string("unchanged");
    const absl::Status patched =
        client_
            .Patch(kubeclient::Events(), event.object_namespace, event.name,
                   kubeclient::PatchType::kMerge, patch, {.call = Call()})
            .status();
    if (patched.ok()) return std::string("updated");
    // It changed or went since it was read: look again.
    if (!absl::IsAborted(patched) && !absl::IsNotFound(patched)) return patched;
  }
  return absl::AbortedError("the Event changes too fast");
}

}  // namespace skerry::edgecontroller
