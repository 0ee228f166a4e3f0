#include "services/lib/cloudspoke/report_applier.h"

#include <optional>
#include <utility>

#include "services/lib/base/error.h"

namespace skerry::cloudspoke {

ReportApplier::ReportApplier(Options options, ReportTarget& target, Sessions& sessions,
                             Answer answer, Clock& clock,
                             reconcile::ControllerMetrics& controller_metrics,
                             HubMetrics& hub_metrics, log::Logger log)
    : target_(target),
      sessions_(sessions),
      answer_(std::move(answer)),
      metrics_(hub_metrics),
      log_(log),
      inbox_(options.bytes_max_per_node),
      controller_({.name = "report",
                   .workers = options.workers,
                   .queue = {.backoff_max = options.backoff_max}},
                  clock, controller_metrics, log,
                  [this](const std::string& work_key) { return Reconcile(work_key); }) {}

void ReportApplier::OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) {
  const auto& report = frame.report();
  if (!sessions_.IsCurrent(hub, frame.session().node(), frame.session().epoch())) {
    metrics_.FrameDropped("stale_session").Increment();
    return;
  }
  InboxReport in{.hub = hub,
                 .node = frame.session().node(),
                 .epoch = frame.session().epoch(),
                 .sequence = report.sequence(),
                 .type = report.type(),
                 .key = report.key(),
                 .value = report.value()};
  if (report.value().size() > kReportBytesMax) {
    target_.Count(in.type, "rejected");
    Done(in, Error(absl::StatusCode::kInvalidArgument, "the report is too large")
                 .Reason("REPORT_MALFORMED"));
    return;
  }
  ReportInbox::PutResult put = inbox_.Put(std::move(in));
  if (put.superseded.has_value()) {
    target_.Count(put.superseded->type, "superseded");
    Done(*put.superseded, absl::OkStatus());
  }
  if (!put.accepted || !controller_.Add(put.work_key)) {
    // Unanswered it stays in the node's journal and comes again with the next session.
    target_.Count(report.type(), "deferred");
    log_.Warning("too many reports of one node wait", {{"node", frame.session().node()}});
  }
}

void ReportApplier::Done(const InboxReport& report, const absl::Status& status) {
  cloudhub::v1::SpokeFrame frame;
  auto* done = frame.mutable_report_done();
  done->mutable_session()->set_node(report.node);
  done->mutable_session()->set_epoch(report.epoch);
  done->set_sequence(report.sequence);
  if (!status.ok()) {
    done->mutable_status()->set_code(static_cast<int>(status.code()));
    done->mutable_status()->set_message(std::string(status.message()));
  }
  answer_(report.hub, std::move(frame));
}

absl::StatusOr<reconcile::Outcome> ReportApplier::Reconcile(const std::string& work_key) {
  const std::optional<InboxReport> report = inbox_.Peek(work_key);
  if (!report.has_value()) return reconcile::Outcome::Done();
  const absl::StatusOr<std::string> applied = target_.Apply(*report);
  const absl::Status& status = applied.status();
  if (!status.ok() && !target_.IsFinal(status)) return status;
  if (!inbox_.Finish(work_key, report->epoch, report->sequence)) {
    // A newer one is there (and queued), or the session is over.
    return reconcile::Outcome::Done();
  }
  target_.Count(report->type, status.ok() ? *applied : "rejected");
  if (!status.ok()) {
    log_.Warning("report refused", status,
                 {{"node", report->node}, {"type", report->type}, {"key", report->key}});
  }
  Done(*report, status);
  return reconcile::Outcome::Done();
}

}  // namespace skerry::cloudspoke
