#include "services/twin-svc/metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::twin {
namespace {

constexpr char kCommits[] = "skerry_twin_commits_total";
constexpr char kCommitsHelp[] = "Transactions of the store.";
constexpr char kWrites[] = "skerry_twin_writes_total";
constexpr char kWritesHelp[] = "Writes on the box: done, or refused with an error.";
constexpr char kDropped[] = "skerry_twin_readings_dropped_total";
constexpr char kDroppedHelp[] =
    "Readings (one for each write) that were dropped before edgehub-svc had them: at the bound of "
    "bytes, to make room on a full disk, too old.";

}  // namespace

TwinMetrics::TwinMetrics(metrics::Registry& r)
    : devices(r.Gauge("skerry_twin_devices", "Devices that are bound to this node.")),
      store_bytes(r.Gauge("skerry_twin_store_bytes",
                          "Size of twins.db, brought up to date every ten minutes.")),
      store_bytes_max(r.Gauge("skerry_twin_store_bytes_max", "The bound of twins.db.")),
      waiting_bytes(
          r.Gauge("skerry_twin_waiting_bytes", "Bytes of writes that wait for the disk.")),
      waiting_bytes_max(r.Gauge("skerry_twin_waiting_bytes_max", "The bound of writes that wait.")),
      commits_ok(r.Counter(kCommits, kCommitsHelp, {{"result", "ok"}})),
      commits_failed(r.Counter(kCommits, kCommitsHelp, {{"result", "failed"}})),
      writes_done(r.Counter(kWrites, kWritesHelp, {{"result", "done"}})),
      writes_refused(r.Counter(kWrites, kWritesHelp, {{"result", "refused"}})),
      conflicts(r.Counter("skerry_twin_conflicts_total",
                          "Desired values of the box that a change of the cloud's replaced.")),
      store_repairs(r.Counter("skerry_twin_store_repairs_total",
                              "Damaged files that were set aside and made anew.")),
      meta_connected(
          r.Gauge("skerry_twin_meta_connected", "1 while edge-meta-svc's devices are known.")),
      objects_refused(r.Counter("skerry_twin_objects_refused_total",
                                "Devices and models that could not be read.")),
      watchers(r.Gauge("skerry_twin_watchers", "Open watches of twins.")),
      readings_bytes(r.Gauge("skerry_twin_readings_bytes", "Of the readings that are kept.")),
      readings_bytes_max(
          r.Gauge("skerry_twin_readings_bytes_max",
                  "The bound of the readings that are kept; at it the oldest make room.")),
      readings_unsent(r.Gauge("skerry_twin_readings_unsent",
                              "Readings (one for each write) that edgehub-svc may not have.")),
      readings_dropped_full(r.Counter(kDropped, kDroppedHelp, {{"reason", "full"}})),
      readings_dropped_disk_full(r.Counter(kDropped, kDroppedHelp, {{"reason", "disk_full"}})),
      readings_dropped_expired(r.Counter(kDropped, kDroppedHelp, {{"reason", "expired"}})),
      readings_refused(r.Counter("skerry_twin_readings_refused_total",
                                 "Readings that edgehub-svc will never take.")),
      reports_due(r.Gauge("skerry_twin_reports_due",
                          "Twins of which edgehub-svc does not have the newest.")),
      reports_cut(r.Counter("skerry_twin_reports_cut_total",
                            "Reports of twins of which something was left out, for their size.")) {}

}  // namespace skerry::twin
