// The way up of reports: each is applied, and answered when it is.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_APPLIER_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_APPLIER_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/hub_metrics.h"
#include "services/lib/cloudspoke/report_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"

namespace skerry::cloudspoke {

// What a controller does with a report. Called on the applier's workers, for one object one at a
// time.
class ReportTarget {
 public:
  virtual ~ReportTarget() = default;
  // What became of it, a metric label. It may block.
  virtual absl::StatusOr<std::string> Apply(const InboxReport& report) = 0;
  // The report, not the moment, is at fault: trying again can't help.
  virtual bool IsFinal(const absl::Status& status) const = 0;
  // Any thread. `result`: of Apply, or rejected, superseded, deferred.
  virtual void Count(absl::string_view type, absl::string_view result) = 0;
};

// Applies the latest report of each object, one worker an object, and again with back-off where the
// moment was at fault; a node's session that ends takes its waiting reports with it (the node sends
// them again). What is refused for good is answered with the error, so that the node's journal goes
// on. OnReport and SessionEnded: any thread. References outlive Stop().
class ReportApplier {
 public:
  // Beyond, a report is refused: the link's bound.
  static constexpr size_t kReportBytesMax = 1536u << 10;

  struct Options {
    size_t workers = 8;
    size_t bytes_max_per_node = 8u << 20;
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using Answer = std::function<void(const std::string& hub, cloudhub::v1::SpokeFrame frame)>;

  ReportApplier(Options options, ReportTarget& target, Sessions& sessions, Answer answer,
                Clock& clock, reconcile::ControllerMetrics& controller_metrics,
                HubMetrics& hub_metrics, log::Logger log);

  void Start() { controller_.Start(); }
  // After a stop of what Apply waits for. Idempotent.
  void Stop() { controller_.Stop(); }

  void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame);
  void SessionEnded(const std::string& node) { inbox_.DropNode(node); }

 private:
  absl::StatusOr<reconcile::Outcome> Reconcile(const std::string& work_key);
  void Done(const InboxReport& report, const absl::Status& status);

  ReportTarget& target_;
  Sessions& sessions_;
  const Answer answer_;
  HubMetrics& metrics_;
  log::Logger log_;
  ReportInbox inbox_;
  reconcile::Controller controller_;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_APPLIER_H_
