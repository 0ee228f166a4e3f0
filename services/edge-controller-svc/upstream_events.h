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
#include "services/lib/cloudspoke/event_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::edgecontroller {

// Applies the events of each node in order, a node at a time a worker, and retries while the API
// server is away. An event has its name and its count from the box, so that one that comes again
// changes nothing. What is about a pod that is gone is dropped; what is malformed, or about
// another's pod or node, or what the API server refuses, is answered with the error. OnEvents and
// SessionEnded: any thread. References outlive Stop().
class UpstreamEvents {
 public:
  static constexpr char kStream[] = "events";

  struct Options {
    size_t workers = 2;
    size_t bytes_max_per_node = 4u << 20;  // The link has about 1 MiB outstanding.
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using Cache =
      std::function<std::optional<KubeObject>(absl::string_view type, absl::string_view key)>;
  using Answer = std::function<void(const std::string& hub, cloudhub::v1::SpokeFrame frame)>;

  UpstreamEvents(Options options, kubeclient::Client& client, Cache cache,
                 cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                 EdgeControllerMetrics& metrics, log::Logger log);

  void Start() { controller_.Start(); }
  void Stop();  // Cancels calls in progress. Idempotent.

  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame);
  void SessionEnded(const std::string& node) { inbox_.DropNode(node); }

 private:
  // What became of an event: a metric label.
  using Applied = absl::StatusOr<std::string>;

  absl::StatusOr<reconcile::Outcome> Reconcile(const std::string& node);
  Applied Apply(const std::string& node, const std::string& value);
  Applied Write(const NodeEvent& event);
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  kubeclient::Client& client_;
  const Cache cache_;
  cloudspoke::Sessions& sessions_;
  const Answer answer_;
  EdgeControllerMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  cloudspoke::EventInbox inbox_;
  reconcile::Controller controller_;
};

}  // namespace skerry::edgecontroller

#endif  // SKERRY_SERVICES_EDGE_CONTROLLER_SVC_UPSTREAM_EVENTS_H_
