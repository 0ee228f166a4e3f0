#include "services/cloudhub-svc/metrics.h"

#include "services/lib/base/strings.h"

namespace skerry::cloudhub {
namespace {

using link::cloud::Incident;

constexpr const char* kClasses[] = {"session", "resource_sync", "report",
                                    "event",   "command",       "tunnel"};
constexpr const char* kEnds[] = {"CLOSED", "HEARTBEAT_LOST", "FENCED", "PROTOCOL_ERROR",
                                 "DRAINING"};
// Ends of sessions whose nodes were gone.
constexpr const char* kGone[] = {"CLOSED", "HEARTBEAT_LOST", "FENCED"};
constexpr const char* kRefusals[] = {"OVERLOADED",     "DIALS_TOO_OFTEN", "DRAINING",
                                     "STORE_FAILED",   "IDENTITY",        "DISABLED",
                                     "NODE_KEY_WRONG", "NODE_CLONED"};
constexpr const char* kTunnelEnds[] = {"OK",
                                       "NODE_NOT_CONNECTED",
                                       "NO_TUNNEL_TAKER",
                                       "TUNNEL_NOT_JOINED",
                                       "TUNNELS_EXHAUSTED",
                                       "TUNNEL_LINK_LOST",
                                       "TUNNEL_USER_GONE",
                                       "other"};

constexpr const char* kCommandRefusals[] = {"NODE_NOT_CONNECTED", "COMMAND_QUEUE_FULL",
                                            "COMMAND_STORE_BUSY", "IDEMPOTENCY_KEY_REUSED",
                                            "other"};
constexpr const char* kCommandEnds[] = {"ok",
                                        "CANCELLED",
                                        "COMMAND_EXPIRED",
                                        "NO_COMMAND_TAKER",
                                        "COMMAND_DEADLINE_EXCEEDED",
                                        "COMMAND_OUTCOME_UNKNOWN",
                                        "other"};

// Under its own label, else under "other".
void AddOr(const std::map<std::string, prometheus::Counter*, std::less<>>& counters,
           const std::string& label) {
  auto it = counters.find(label);
  (it == counters.end() ? counters.find("other") : it)->second->Increment();
}

void Add(const std::map<std::string, prometheus::Counter*, std::less<>>& counters,
         absl::string_view label, double value) {
  auto it = counters.find(ToStd(label));
  if (it != counters.end()) it->second->Increment(value);
}

}  // namespace

CloudHubMetrics::CloudHubMetrics(metrics::Registry& registry)
    : connections_(registry.Gauge("skerry_cloudhub_connections",
                                  "Open streams of nodes, with those before Welcome.")),
      sessions_(registry.Gauge("skerry_cloudhub_sessions", "Nodes with a session.")),
      sessions_total_(registry.Counter("skerry_cloudhub_sessions_total", "Sessions that began.")),
      spokes_(registry.Gauge("skerry_cloudhub_spokes", "Controllers that are attached.")),
      unsent_bytes_(
          registry.Gauge("skerry_cloudhub_unsent_bytes", "Pushes that wait for a node's window.")),
      stale_epoch_(registry.Counter("skerry_cloudhub_dropped_frames_total",
                                    "Frames of controllers that came too late or broke a bound.",
                                    {{"reason", "stale_epoch"}})),
      syncs_(registry.Gauge("skerry_cloudhub_syncs", "Nodes in a full sync.")),
      waiting_(registry.Gauge("skerry_cloudhub_sync_waiting",
                              "Connected nodes that wait for their full sync.")),
      tickets_(registry.Gauge("skerry_cloudhub_tickets",
                              "Nodes that were sent away until it is their turn.")),
      sync_seconds_(registry.Histogram(
          "skerry_cloudhub_sync_seconds",
          "From a node's request for its full sync until it had everything, its turn included.",
          {0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600})),
      sync_overruns_(
          registry.Counter("skerry_cloudhub_sync_overruns_total",
                           "Full syncs that were not done in time: another was let in.")),
      tunnels_(registry.Gauge("skerry_cloudhub_tunnels", "Tunnels to nodes that are open.")),
      tunnels_total_(
          registry.Counter("skerry_cloudhub_tunnels_total", "Tunnels that were asked for.")),
      commands_(
          registry.Gauge("skerry_cloudhub_commands", "Commands in memory that have not ended.")),
      command_store_bytes_(
          registry.Gauge("skerry_cloudhub_command_store_bytes",
                         "Size of the file of queued commands; 0 with PostgreSQL.")),
      command_store_bytes_max_(
          registry.Gauge("skerry_cloudhub_command_store_bytes_max",
                         "The bound of the file of queued commands; 0 with PostgreSQL.")),
      commands_total_(
          registry.Counter("skerry_cloudhub_commands_total", "Commands that were accepted.")),
      command_responses_deferred_(
          registry.Counter("skerry_cloudhub_command_responses_deferred_total",
                           "Responses that had no room in memory and are asked for again.")) {
  for (const char* store : {"commands", "epoch", "tokens"}) {
    repairs_[store] =
        &registry.Counter("skerry_cloudhub_store_repairs_total",
                          "Damaged files that were set aside and made anew.", {{"store", store}});
  }
  for (const char* reason : kCommandRefusals) {
    command_refusals_[reason] =
        &registry.Counter("skerry_cloudhub_command_refusals_total",
                          "Commands that were not accepted.", {{"reason", reason}});
  }
  for (const char* result : kCommandEnds) {
    command_ends_[result] = &registry.Counter("skerry_cloudhub_command_ends_total",
                                              "Commands that ended.", {{"result", result}});
  }
  for (const char* reason : kEnds) {
    ends_[reason] = &registry.Counter("skerry_cloudhub_session_ends_total", "Sessions that ended.",
                                      {{"reason", reason}});
  }
  for (const char* reason : kGone) {
    // Two intervals, where nothing is heard any more: 32 s by default.
    gone_[reason] = &registry.Histogram(
        "skerry_cloudhub_detection_seconds",
        "From the last frame of a node until the hub took it for gone.",
        {0.1, 0.5, 1, 2.5, 5, 10, 15, 20, 25, 30, 35, 40, 60, 120}, {{"reason", reason}});
  }
  for (const char* reason : kRefusals) {
    refusals_[reason] =
        &registry.Counter("skerry_cloudhub_refusals_total",
                          "Connections of nodes that were refused.", {{"reason", reason}});
  }
  for (const char* reason : kTunnelEnds) {
    tunnel_ends_[reason] = &registry.Counter("skerry_cloudhub_tunnel_ends_total",
                                             "Tunnels that ended.", {{"reason", reason}});
  }
  for (const char* direction : {"up", "down"}) {
    for (const char* form : {"plain", "compressed"}) {
      compressed_[direction][form] =
          &registry.Counter("skerry_cloudhub_link_compressed_bytes_total",
                            "Frames that were compressed: before that, and after it.",
                            {{"direction", direction}, {"form", form}});
    }
  }
  for (const char* name : kClasses) {
    bytes_up_[name] =
        &registry.Counter("skerry_cloudhub_link_bytes_total", "Serialized frames on the links.",
                          {{"direction", "up"}, {"class", name}});
    bytes_down_[name] =
        &registry.Counter("skerry_cloudhub_link_bytes_total", "Serialized frames on the links.",
                          {{"direction", "down"}, {"class", name}});
  }
  const auto dropped = [&](const char* reason) {
    return &registry.Counter("skerry_cloudhub_dropped_frames_total",
                             "Frames of controllers that came too late or broke a bound.",
                             {{"reason", reason}});
  };
  incidents_[Incident::kStalePush] = dropped("stale_push");
  incidents_[Incident::kInvalidPush] = dropped("invalid_push");
  incidents_[Incident::kStaleReportDone] = dropped("stale_report_done");
  incidents_[Incident::kStaleEventsDone] = dropped("stale_events_done");
  incidents_[Incident::kStaleAck] = &registry.Counter(
      "skerry_cloudhub_stale_acks_total", "Acks of subscriptions that were replaced meanwhile.");
  incidents_[Incident::kStaleTunnel] =
      &registry.Counter("skerry_cloudhub_stale_tunnel_frames_total",
                        "Frames of nodes for tunnels that were over by then.");
  incidents_[Incident::kDeferred] =
      &registry.Counter("skerry_cloudhub_link_deferrals_total",
                        "How often something for a node began to wait for the node's budget.");
  incidents_[Incident::kOverflow] =
      &registry.Counter("skerry_cloudhub_overflows_total",
                        "Queues dropped because a node was slow; it was asked to resync.");
}

void CloudHubMetrics::SessionBegan() {
  sessions_.Increment();
  sessions_total_.Increment();
}

void CloudHubMetrics::SessionEnded(const std::string& reason) {
  sessions_.Decrement();
  Add(ends_, reason, 1);
}

void CloudHubMetrics::NodeGone(const std::string& reason, absl::Duration silence) {
  auto it = gone_.find(reason);
  if (it != gone_.end()) it->second->Observe(absl::ToDoubleSeconds(silence));
}

void CloudHubMetrics::Refused(const std::string& reason) { Add(refusals_, reason, 1); }

void CloudHubMetrics::Incident(link::cloud::Incident incident) {
  auto it = incidents_.find(incident);
  if (it != incidents_.end()) it->second->Increment();
}

void CloudHubMetrics::Admission(size_t syncs, size_t waiting, size_t tickets) {
  syncs_.Set(static_cast<double>(syncs));
  waiting_.Set(static_cast<double>(waiting));
  tickets_.Set(static_cast<double>(tickets));
}

void CloudHubMetrics::CommandStore(int64_t bytes, int64_t bytes_max) {
  command_store_bytes_.Set(static_cast<double>(bytes));
  command_store_bytes_max_.Set(static_cast<double>(bytes_max));
}

void CloudHubMetrics::StoreRepaired(absl::string_view store) { Add(repairs_, store, 1); }

void CloudHubMetrics::CommandRefused(const std::string& reason) {
  AddOr(command_refusals_, reason);
}

void CloudHubMetrics::CommandEnded(const std::string& result) { AddOr(command_ends_, result); }

void CloudHubMetrics::TunnelOpened() {
  tunnels_.Increment();
  tunnels_total_.Increment();
}

void CloudHubMetrics::TunnelEnded(const std::string& reason) {
  tunnels_.Decrement();
  AddOr(tunnel_ends_, reason.empty() ? "OK" : reason);
}

void CloudHubMetrics::Compression(const link::CompressionBytes& bytes) {
  Counters& forms = compressed_[bytes.sent ? "down" : "up"];
  forms["plain"]->Increment(static_cast<double>(bytes.plain));
  forms["compressed"]->Increment(static_cast<double>(bytes.compressed));
}

void CloudHubMetrics::BytesUp(absl::string_view frame_class, size_t bytes) {
  Add(bytes_up_, frame_class, static_cast<double>(bytes));
}

void CloudHubMetrics::BytesDown(absl::string_view frame_class, size_t bytes) {
  Add(bytes_down_, frame_class, static_cast<double>(bytes));
}

}  // namespace skerry::cloudhub
