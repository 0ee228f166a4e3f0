#include "services/twin-svc/dmi/dmi_metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::twin {
namespace {

constexpr char kRegistrations[] = "skerry_twin_mapper_registrations_total";
constexpr char kRegistrationsHelp[] = "MapperRegister: answered with devices, or refused.";
constexpr char kCalls[] = "skerry_twin_mapper_calls_total";
constexpr char kCallsHelp[] =
    "What mappers were told of devices and models: taken, refused, or nobody was there.";
constexpr char kReports[] = "skerry_twin_mapper_reports_total";
constexpr char kReportsHelp[] = "What mappers reported of values and states.";
constexpr char kMethods[] = "skerry_twin_method_calls_total";
constexpr char kMethodsHelp[] = "Calls of devices' methods.";

}  // namespace

DmiMetrics::DmiMetrics(metrics::Registry& r)
    : mappers(r.Gauge("skerry_twin_mappers", "Mappers that have registered.")),
      away(r.Gauge("skerry_twin_mappers_away", "Those of them that were not there when called.")),
      behind(r.Gauge("skerry_twin_mapper_behind",
                     "Devices and models that a mapper has otherwise than is wanted.")),
      registrations_ok(r.Counter(kRegistrations, kRegistrationsHelp, {{"result", "ok"}})),
      registrations_refused(r.Counter(kRegistrations, kRegistrationsHelp, {{"result", "refused"}})),
      calls_ok(r.Counter(kCalls, kCallsHelp, {{"result", "ok"}})),
      calls_failed(r.Counter(kCalls, kCallsHelp, {{"result", "failed"}})),
      calls_away(r.Counter(kCalls, kCallsHelp, {{"result", "away"}})),
      reports_ok(r.Counter(kReports, kReportsHelp, {{"result", "ok"}})),
      reports_refused(r.Counter(kReports, kReportsHelp, {{"result", "refused"}})),
      method_calls_ok(r.Counter(kMethods, kMethodsHelp, {{"result", "ok"}})),
      method_calls_failed(r.Counter(kMethods, kMethodsHelp, {{"result", "failed"}})),
      devices_refused(r.Counter("skerry_twin_mapper_devices_refused_total",
                                "Devices that don't suit their model: no mapper is told of them.")),
      store_failures(r.Counter("skerry_twin_mapper_store_failures_total",
                               "Writes of mappers.db that failed; the mappers go on.")),
      store_repairs(r.Counter("skerry_twin_mapper_store_repairs_total",
                              "Damaged files of mappers that were set aside and made anew.")) {}

}  // namespace skerry::twin
