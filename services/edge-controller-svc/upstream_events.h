// The way up of what happened on nodes: their stream "events" becomes Kubernetes Events.
#ifndef SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_EVENTS_H_
#define SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_EVENTS_H_

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/edge-controller-svc/core/node_event.h"
#include "services/edge-controller-svc/metrics.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/event_applier.h"
#include "services/lib/cloudspoke/event_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"

namespace skerry::edgecontroller {

// An event has its name and its count from the box, so that one that comes again changes nothing.
// What is about a pod that is gone is dropped; what is malformed, or about another's pod or node,
// or what the API server refuses, is answered with the error. Order, waiting and answers are the
// EventApplier's. OnEvents and SessionEnded: any thread. References outlive Stop().
class UpstreamEvents final : private cloudspoke::EventTarget {
 public:
  static constexpr char kStream[] = "events";

  struct Options {
    size_t workers = 2;
    size_t bytes_max_per_node = 4u << 20;  // The link has about 1 MiB outstanding.
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;
  using Answer = cloudspoke::EventApplier::Answer;

  UpstreamEvents(Options options, kubeclient::Client& client, Cache cache,
                 cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                 EdgeControllerMetrics& metrics, log::Logger log);

  void Start() { applier_.Start(); }
  void Stop();  // Cancels calls in progress. Idempotent.

  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
    applier_.OnEvents(hub, frame);
  }
  void SessionEnded(const std::string& node) { applier_.SessionEnded(node); }

 private:
  // What became of an event: a metric label.
  using Result = absl::StatusOr<std::string>;

  Applied Apply(const std::string& node, const cloudspoke::EventInbox::Batch& batch) override;
  void Deferred() override;
  Result ApplyOne(const std::string& node, const std::string& value);
  Result Write(const NodeEvent& event);
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  kubeclient::Client& client_;
  const Cache cache_;
  EdgeControllerMetrics& metrics_;
  std::stop_source stop_;
  cloudspoke::EventApplier applier_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_EVENTS_H_
