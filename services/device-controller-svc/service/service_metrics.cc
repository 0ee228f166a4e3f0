#include "services/device-controller-svc/service/service_metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kWatchEnds[] = "skerry_device_api_watches_ended_total";
constexpr char kWatchEndsHelp[] =
    "Watches of devices that were ended because their reader is slow, or refused because there "
    "are too many.";
constexpr char kCalls[] = "skerry_device_api_method_calls_total";
constexpr char kCallsHelp[] =
    "Calls of methods: answered, failed, or refused because too many are under way.";
constexpr char kImports[] = "skerry_device_api_imported_devices_total";
constexpr char kImportsHelp[] = "Rows of bulk imports.";

}  // namespace

ServiceMetrics::ServiceMetrics(metrics::Registry& r)
    : watchers(r.Gauge("skerry_device_api_watchers", "Open watches of devices.")),
      watchers_slow(r.Counter(kWatchEnds, kWatchEndsHelp, {{"reason", "slow"}})),
      watchers_refused(r.Counter(kWatchEnds, kWatchEndsHelp, {{"reason", "full"}})),
      method_calls(r.Gauge("skerry_device_api_method_calls", "Calls of methods under way.")),
      method_calls_answered(r.Counter(kCalls, kCallsHelp, {{"result", "answered"}})),
      method_calls_failed(r.Counter(kCalls, kCallsHelp, {{"result", "failed"}})),
      method_calls_full(r.Counter(kCalls, kCallsHelp, {{"result", "full"}})),
      imports_done(r.Counter(kImports, kImportsHelp, {{"result", "done"}})),
      imports_failed(r.Counter(kImports, kImportsHelp, {{"result", "failed"}})),
      twin_conflicts(r.Counter("skerry_device_api_twin_conflicts_total",
                               "Updates of twins that were refused because somebody was first.")),
      history_late(r.Counter("skerry_device_api_history_late_total",
                             "Desired values that are in the Device and could not be put into the "
                             "history at once; the controller does it.")) {}

}  // namespace skerry::devicecontroller
