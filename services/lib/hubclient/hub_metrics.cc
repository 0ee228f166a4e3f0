#include "services/lib/hubclient/hub_metrics.h"

#include "services/lib/metrics/registry.h"

namespace skerry::hubclient {
namespace {

constexpr char kReports[] = "skerry_hubclient_reports_total";
constexpr char kReportsHelp[] =
    "Reports: stored by edgehub-svc, replaced by newer ones before, refused for good.";
constexpr char kCommands[] = "skerry_hubclient_commands_total";
constexpr char kCommandsHelp[] =
    "Commands: answered, refused because too many were under way, answered after the stream that "
    "they came by had ended.";

}  // namespace

HubClientMetrics::HubClientMetrics(metrics::Registry& r)
    : attached(r.Gauge("skerry_hubclient_attached", "1 while edgehub-svc has this service.")),
      link_connected(r.Gauge("skerry_hubclient_link_connected",
                             "1 while edgehub-svc says that the cloud is reached.")),
      waiting_bytes(r.Gauge("skerry_hubclient_waiting_bytes",
                            "Reports and events that edgehub-svc has not answered yet.")),
      waiting_bytes_max(r.Gauge("skerry_hubclient_waiting_bytes_max",
                                "The bound of reports and events without an answer.")),
      reports_stored(r.Counter(kReports, kReportsHelp, {{"result", "stored"}})),
      reports_replaced(r.Counter(kReports, kReportsHelp, {{"result", "replaced"}})),
      reports_refused(r.Counter(kReports, kReportsHelp, {{"result", "refused"}})),
      events_stored(
          r.Counter("skerry_hubclient_events_stored_total", "Events that edgehub-svc has taken.")),
      event_puts_refused(r.Counter("skerry_hubclient_event_puts_refused_total",
                                   "Batches of events of which one was refused for good.")),
      busy(r.Counter("skerry_hubclient_busy_total",
                     "Reports and batches that were not taken, because too much waited.")),
      retries(r.Counter("skerry_hubclient_retries_total",
                        "Answers of edgehub-svc that it could not store something now.")),
      commands_done(r.Counter(kCommands, kCommandsHelp, {{"result", "done"}})),
      commands_refused(r.Counter(kCommands, kCommandsHelp, {{"result", "refused"}})),
      commands_late(r.Counter(kCommands, kCommandsHelp, {{"result", "late"}})) {}

}  // namespace skerry::hubclient
