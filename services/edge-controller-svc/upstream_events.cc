#include "services/edge-controller-svc/upstream_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/skerry/edged/v1/event.pb.h"
#include "services/edge-controller-svc/core/object_ref.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgecontroller {
namespace {

constexpr size_t kBatchMax = 32;  // Between two answers; then another node has its turn.
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
      sessions_(sessions),
      answer_(std::move(answer)),
      metrics_(metrics),
      log_(log),
      inbox_(options.bytes_max_per_node),
      controller_({.name = "event",
                   .workers = options.workers,
                   .queue = {.backoff_max = options.backoff_max}},
                  clock, metrics.event_controller, log,
                  [this](const std::string& node) { return Reconcile(node); }) {}

void UpstreamEvents::Stop() {
  stop_.request_stop();
  controller_.Stop();
}

void UpstreamEvents::OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
  const std::string& node = frame.session().node();
  if (!sessions_.IsCurrent(hub, node, frame.session().epoch())) {
    metrics_.hubs.FrameDropped("stale_session").Increment();
    return;
  }
  if (frame.stream() != kStream) {
    metrics_.hubs.FrameDropped("unknown_type").Increment();
    return;
  }
  for (const link::v1::Event& event : frame.events()) {
    if (inbox_.Put(node, hub, frame.session().epoch(), {event.sequence(), event.value()})) continue;
    // Unanswered they stay in the node's store and come again with the next session.
    metrics_.NodeEvent("deferred").Increment();
    log_.Warning("too many events of one node wait", {{"node", node}});
    break;
  }
  controller_.Add(node);
}

absl::StatusOr<reconcile::Outcome> UpstreamEvents::Reconcile(const std::string& node) {
  const cloudspoke::EventInbox::Batch batch = inbox_.Peek(node, kBatchMax);
  cloudhub::v1::SpokeFrame frame;
  cloudhub::v1::EventsDone& done = *frame.mutable_events_done();
  absl::Status waits;
  for (const cloudspoke::InboxEvent& event : batch.events) {
    const Applied applied = Apply(node, event.value);
    if (!applied.ok() && MayPass(applied.status())) {
      waits = applied.status();
      break;
    }
    metrics_.NodeEvent(applied.ok() ? *applied : "rejected").Increment();
    done.set_sequence(event.sequence);
    if (applied.ok()) continue;
    log_.Warning("event refused", applied.status(), {{"node", node}});
    link::v1::Rejection& rejection = *done.add_rejections();
    rejection.set_sequence(event.sequence);
    *rejection.mutable_status() = rpc::ToProto(applied.status());
  }
  if (done.sequence() > 0 && inbox_.Finish(node, batch.epoch, done.sequence())) {
    done.mutable_session()->set_node(node);
    done.mutable_session()->set_epoch(batch.epoch);
    done.set_stream(kStream);
    answer_(batch.hub, std::move(frame));
  }
  SKERRY_RETURN_IF_ERROR(waits);
  return batch.more ? reconcile::Outcome::RecheckAfter(absl::ZeroDuration())
                    : reconcile::Outcome::Done();
}

UpstreamEvents::Applied UpstreamEvents::Apply(const std::string& node, const std::string& value) {
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

UpstreamEvents::Applied UpstreamEvents::Write(const NodeEvent& event) {
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
