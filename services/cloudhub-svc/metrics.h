// Metrics of cloudhub-svc.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_METRICS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/cloud_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/metrics/registry.h"

namespace skerry::cloudhub {

// Any thread may call it; `registry` outlives it.
class CloudHubMetrics {
 public:
  explicit CloudHubMetrics(metrics::Registry& registry);

  void Connections(int delta) { connections_.Increment(delta); }
  void SessionBegan();
  void SessionEnded(const std::string& reason);
  // The end of a session whose node was last heard so long ago. Those that the hub ends for another
  // reason than that the node is gone are left out.
  void NodeGone(const std::string& reason, absl::Duration silence);
  void Refused(const std::string& reason);
  void Spokes(int delta) { spokes_.Increment(delta); }
  void UnsentBytes(double delta) { unsent_bytes_.Increment(delta); }
  void Incident(link::cloud::Incident incident);
  void StaleEpoch() { stale_epoch_.Increment(); }
  // Nodes that are in a full sync, that wait for one, and that were sent away until it is their
  // turn.
  void Admission(size_t syncs, size_t waiting, size_t tickets);
  // A node has everything: since it asked for its full sync.
  void Synced(absl::Duration took) { sync_seconds_.Observe(absl::ToDoubleSeconds(took)); }
  void SyncOverruns(uint64_t count) { sync_overruns_.Increment(static_cast<double>(count)); }
  // Of the file of queued commands; a hub on PostgreSQL has none.
  void CommandStore(int64_t bytes, int64_t bytes_max);
  // A damaged file was set aside and made anew: "commands", "epoch" or "tokens".
  void StoreRepaired(absl::string_view store);
  void CommandAccepted() { commands_total_.Increment(); }
  void CommandsUnderWay(int delta) { commands_.Increment(delta); }
  // reason: of the status.
  void CommandRefused(const std::string& reason);
  void CommandResponseDeferred() { command_responses_deferred_.Increment(); }
  // result: "ok", "CANCELLED" or the status's reason.
  void CommandEnded(const std::string& result);
  void TunnelOpened();
  // reason: that of the status; empty for a tunnel that ended in good order.
  void TunnelEnded(const std::string& reason);
  void Compression(const link::CompressionBytes& bytes);
  // class: "session", "resource_sync", "report", "event", "command" or "tunnel".
  void BytesUp(absl::string_view frame_class, size_t bytes);
  void BytesDown(absl::string_view frame_class, size_t bytes);

 private:
  using Counters = std::map<std::string, prometheus::Counter*, std::less<>>;

  prometheus::Gauge& connections_;
  prometheus::Gauge& sessions_;
  prometheus::Counter& sessions_total_;
  prometheus::Gauge& spokes_;
  prometheus::Gauge& unsent_bytes_;
  prometheus::Counter& stale_epoch_;
  prometheus::Gauge& syncs_;
  prometheus::Gauge& waiting_;
  prometheus::Gauge& tickets_;
  prometheus::Histogram& sync_seconds_;
  prometheus::Counter& sync_overruns_;
  prometheus::Gauge& tunnels_;
  prometheus::Counter& tunnels_total_;
  prometheus::Gauge& commands_;
  prometheus::Gauge& command_store_bytes_;
  prometheus::Gauge& command_store_bytes_max_;
  prometheus::Counter& commands_total_;
  prometheus::Counter& command_responses_deferred_;
  Counters repairs_;
  Counters command_refusals_;
  Counters command_ends_;
  Counters ends_;
  std::map<std::string, prometheus::Histogram*> gone_;  // By reason.
  Counters refusals_;
  Counters tunnel_ends_;
  std::map<std::string, Counters> compressed_;  // By direction, then form.
  Counters bytes_up_;
  Counters bytes_down_;
  std::map<link::cloud::Incident, prometheus::Counter*> incidents_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_METRICS_H_
