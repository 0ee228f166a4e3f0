#include "services/mappers/lib/metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::mapper {
namespace {

constexpr char kRegistrations[] = "skerry_mapper_registrations_total";
constexpr char kRegistrationsHelp[] = "Answers of twin-svc to MapperRegister.";
constexpr char kReads[] = "skerry_mapper_reads_total";
constexpr char kReadsHelp[] = "Readings of properties.";
constexpr char kWrites[] = "skerry_mapper_writes_total";
constexpr char kWritesHelp[] = "Desired values written to devices.";
constexpr char kReports[] = "skerry_mapper_reports_total";
constexpr char kReportsHelp[] = "Reports to twin-svc, of values and of states.";

}  // namespace

MapperMetrics::MapperMetrics(metrics::Registry& r)
    : registered(
          r.Gauge("skerry_mapper_twin_registered", "1 while twin-svc has this mapper registered.")),
      registrations_ok(r.Counter(kRegistrations, kRegistrationsHelp, {{"result", "ok"}})),
      registrations_failed(r.Counter(kRegistrations, kRegistrationsHelp, {{"result", "failed"}})),
      devices(r.Gauge("skerry_mapper_devices", "Devices of this mapper.")),
      devices_online(r.Gauge("skerry_mapper_devices_online", "Those that answer.")),
      devices_refused(r.Counter("skerry_mapper_devices_refused_total",
                                "Devices and changes of devices that can't be taken.")),
      reads_ok(r.Counter(kReads, kReadsHelp, {{"result", "ok"}})),
      reads_failed(r.Counter(kReads, kReadsHelp, {{"result", "failed"}})),
      writes_ok(r.Counter(kWrites, kWritesHelp, {{"result", "ok"}})),
      writes_failed(r.Counter(kWrites, kWritesHelp, {{"result", "failed"}})),
      reports_ok(r.Counter(kReports, kReportsHelp, {{"result", "ok"}})),
      reports_failed(r.Counter(kReports, kReportsHelp, {{"result", "failed"}})) {}

}  // namespace skerry::mapper
