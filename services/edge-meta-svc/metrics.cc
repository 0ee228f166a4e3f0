#include "services/edge-meta-svc/metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::edgemeta {
namespace {

constexpr char kChanges[] = "skerry_edgemeta_changes_total";
constexpr char kChangesHelp[] = "Committed changes of objects.";
constexpr char kCommits[] = "skerry_edgemeta_commits_total";
constexpr char kCommitsHelp[] = "Transactions of changes from the cloud.";
constexpr char kReportsIn[] = "skerry_edgemeta_reports_total";
constexpr char kReportsInHelp[] = "Reports taken from neighbours.";
constexpr char kReportsOut[] = "skerry_edgemeta_reports_forwarded_total";
constexpr char kReportsOutHelp[] = "edgehub-svc's answers to reports.";

}  // namespace

MetaMetrics::MetaMetrics(metrics::Registry& r)
    : attached(r.Gauge("skerry_edgemeta_edgehub_attached", "1 while registered at edgehub-svc.")),
      link_connected(r.Gauge("skerry_edgemeta_link_connected",
                             "1 while edgehub-svc says that the cloud is reachable.")),
      dials(r.Counter("skerry_edgemeta_edgehub_dials_total", "Attempts to reach edgehub-svc.")),
      changes_upserted(r.Counter(kChanges, kChangesHelp, {{"change", "upserted"}})),
      changes_deleted(r.Counter(kChanges, kChangesHelp, {{"change", "deleted"}})),
      objects_rejected(r.Counter("skerry_edgemeta_objects_rejected_total",
                                 "Changes from the cloud that were refused.")),
      messages_stale(r.Counter("skerry_edgemeta_messages_stale_total",
                               "Changes of subscriptions that had ended.")),
      commits_ok(r.Counter(kCommits, kCommitsHelp, {{"result", "ok"}})),
      commits_failed(r.Counter(kCommits, kCommitsHelp, {{"result", "failed"}})),
      store_repairs(r.Counter("skerry_edgemeta_store_repairs_total",
                              "Damaged files that were set aside and made anew.")),
      store_bytes(r.Gauge("skerry_edgemeta_store_bytes", "Size of the store.")),
      store_bytes_max(r.Gauge("skerry_edgemeta_store_bytes_max", "The bound of the store.")),
      revision(r.Gauge("skerry_edgemeta_store_revision", "Revision of the last change.")),
      watchers(r.Gauge("skerry_edgemeta_watchers", "Open watches.")),
      watchers_slow(r.Counter("skerry_edgemeta_watchers_slow_total",
                              "Watches ended because their reader was too slow.")),
      reports_stored(r.Counter(kReportsIn, kReportsInHelp, {{"result", "stored"}})),
      reports_replaced(r.Counter(kReportsIn, kReportsInHelp, {{"result", "replaced"}})),
      reports_forwarded(r.Counter(kReportsOut, kReportsOutHelp, {{"result", "stored"}})),
      reports_refused(r.Counter(kReportsOut, kReportsOutHelp, {{"result", "refused"}})),
      reports_retried(r.Counter(kReportsOut, kReportsOutHelp, {{"result", "retried"}})),
      reports_pending(r.Gauge("skerry_edgemeta_reports_pending",
                              "Reports that edgehub-svc does not have yet.")),
      registry_(r) {}

prometheus::Gauge& MetaMetrics::SyncBehind(absl::string_view type) {
  return registry_.Gauge(
      "skerry_edgemeta_sync_behind_seconds",
      "Time with a link since the objects of a type were last in step with the cloud's; 0 in step. "
      "Without a link it stands still.",
      {{"type", std::string(type)}});
}

}  // namespace skerry::edgemeta
