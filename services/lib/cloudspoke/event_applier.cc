#include "services/lib/cloudspoke/event_applier.h"

#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::cloudspoke {

EventApplier::EventApplier(Options options, EventTarget& target, Sessions& sessions, Answer answer,
                           Clock& clock, reconcile::ControllerMetrics& controller_metrics,
                           HubMetrics& hub_metrics, log::Logger log)
    : options_(std::move(options)),
      target_(target),
      sessions_(sessions),
      answer_(std::move(answer)),
      metrics_(hub_metrics),
      log_(log),
      inbox_(options_.bytes_max_per_node),
      controller_({.name = "event",
                   .workers = options_.workers,
                   .queue = {.backoff_max = options_.backoff_max}},
                  clock, controller_metrics, log,
                  [this](const std::string& node) { return Reconcile(node); }) {}

void EventApplier::OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) {
  const std::string& node = frame.session().node();
  if (!sessions_.IsCurrent(hub, node, frame.session().epoch())) {
    metrics_.FrameDropped("stale_session").Increment();
    return;
  }
  if (frame.stream() != options_.stream) {
    metrics_.FrameDropped("unknown_type").Increment();
    return;
  }
  for (const link::v1::Event& event : frame.events()) {
    InboxEvent in{.sequence = event.sequence(), .value = event.value(), .key = event.key()};
    if (inbox_.Put(node, hub, frame.session().epoch(), std::move(in))) continue;
    // Unanswered they stay in the node's store and come again with the next session.
    target_.Deferred();
    log_.Warning("too many events of one node wait", {{"node", node}});
    break;
  }
  controller_.Add(node);
}

absl::StatusOr<reconcile::Outcome> EventApplier::Reconcile(const std::string& node) {
  const EventInbox::Batch batch = inbox_.Peek(node, options_.batch_max);
  if (batch.events.empty()) return reconcile::Outcome::Done();
  const EventTarget::Applied applied = target_.Apply(node, batch);
  cloudhub::v1::SpokeFrame frame;
  cloudhub::v1::EventsDone& done = *frame.mutable_events_done();
  for (size_t i = 0; i < applied.results.size(); ++i) {
    done.set_sequence(batch.events[i].sequence);
    if (applied.results[i].ok()) continue;
    log_.Warning("event refused", applied.results[i], {{"node", node}});
    link::v1::Rejection& rejection = *done.add_rejections();
    rejection.set_sequence(batch.events[i].sequence);
    *rejection.mutable_status() = rpc::ToProto(applied.results[i]);
  }
  if (done.sequence() > 0 && inbox_.Finish(node, batch.epoch, done.sequence())) {
    done.mutable_session()->set_node(node);
    done.mutable_session()->set_epoch(batch.epoch);
    done.set_stream(options_.stream);
    answer_(batch.hub, std::move(frame));
  }
  SKERRY_RETURN_IF_ERROR(applied.waits);
  const bool rest = !applied.results.empty() && applied.results.size() < batch.events.size();
  return batch.more || rest ? reconcile::Outcome::RecheckAfter(absl::ZeroDuration())
                            : reconcile::Outcome::Done();
}

}  // namespace skerry::cloudspoke
