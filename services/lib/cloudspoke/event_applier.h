// The way up of events: they are applied in order, and answered when they are.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_APPLIER_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_APPLIER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/event_inbox.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::cloudspoke {

// What a controller does with events. Called on the applier's workers, for one node one at a time.
class EventTarget {
 public:
  struct Applied {
    // One for each event that is dealt with, from the first on: applied, or refused for good. Of
    // fewer than there are, and with `waits` OK, the rest comes again at once.
    std::vector<absl::Status> results;
    absl::Status waits;  // Why the rest is not: the moment is at fault.
  };
  virtual ~EventTarget() = default;
  // It may block.
  virtual Applied Apply(const std::string& node, const EventInbox::Batch& batch) = 0;
  // Any thread. Some events of a node stay unanswered, because too many wait.
  virtual void Deferred() = 0;
};

// Applies the events of one stream of each node in order, a node at a time a worker, and again with
// back-off where the moment was at fault. What is refused for good is answered with the error.
// OnEvents and SessionEnded: any thread. References outlive Stop().
class EventApplier {
 public:
  struct Options {
    std::string stream;
    size_t workers = 2;
    size_t batch_max = 32;                 // Between two answers; then another node has its turn.
    size_t bytes_max_per_node = 4u << 20;  // The link has about 1 MiB outstanding.
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using Answer = std::function<void(const std::string& hub, cloudhub::v1::SpokeFrame frame)>;

  EventApplier(Options options, EventTarget& target, Sessions& sessions, Answer answer,
               Clock& clock, reconcile::ControllerMetrics& controller_metrics,
               HubMetrics& hub_metrics, log::Logger log);

  void Start() { controller_.Start(); }
  // After a stop of what Apply waits for. Idempotent.
  void Stop() { controller_.Stop(); }

  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame);
  void SessionEnded(const std::string& node) { inbox_.DropNode(node); }

 private:
  absl::StatusOr<reconcile::Outcome> Reconcile(const std::string& node);

  const Options options_;
  EventTarget& target_;
  Sessions& sessions_;
  const Answer answer_;
  HubMetrics& metrics_;
  log::Logger log_;
  EventInbox inbox_;
  reconcile::Controller controller_;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_EVENT_APPLIER_H_
