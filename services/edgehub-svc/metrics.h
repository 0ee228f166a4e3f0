// Metrics of edgehub-svc.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_METRICS_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/store/command_store.h"
#include "services/edgehub-svc/store/event_store.h"
#include "services/edgehub-svc/store/journal_store.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/link/frames.h"
#include "services/lib/metrics/registry.h"

namespace skerry::edgehub {

// Any thread may call it; `registry` outlives it.
class EdgeHubMetrics {
 public:
  explicit EdgeHubMetrics(metrics::Registry& registry);

  // What the stores may hold; of the settings.
  struct Bounds {
    int64_t journal_bytes = 0;
    int64_t journal_type_bytes = 0;
    int64_t event_stream_bytes = 0;
    int64_t command_response_bytes = 0;
  };
  void SetBounds(const Bounds& bounds);
  void Dialed() { dials_.Increment(); }
  void Connected(absl::Duration clock_skew, absl::Duration heartbeat_interval);
  void IntervalAdapted(const link::edge::IntervalAdapted& adapted);
  // reason: that of the status, or empty. silence: how long nothing had been heard.
  void Disconnected(bool was_connected, const std::string& reason, absl::Duration silence);
  void Spokes(size_t attached) { spokes_.Set(static_cast<double>(attached)); }
  void Incident(link::edge::Incident incident);
  void Journal(const JournalStats& stats);
  // reason: "expired", "rejected", "full".
  void Dropped(const std::string& reason, int64_t entries);
  // A report went and the cloud has applied it.
  void RoundTrip(absl::Duration took) { round_trip_.Observe(absl::ToDoubleSeconds(took)); }
  void ReportStored() { stored_.Increment(); }
  void Tunnels(size_t open) { tunnels_.Set(static_cast<double>(open)); }
  void TunnelJoined() { tunnels_total_.Increment(); }
  void Commands(size_t executing, const CommandStats& stats);
  void CommandLookedUp(link::edge::CommandRecord::State state);
  // responses_dropped: of earlier ones, for want of room.
  void CommandEnded(const absl::Status& status, int64_t responses_dropped);
  void Streams(const std::map<std::string, StreamStats>& streams);
  // `fresh`: not a repeat of what was stored before.
  void EventStored(bool fresh) { (fresh ? events_stored_ : events_repeated_).Increment(); }
  void EventsRefused() { events_refused_.Increment(); }
  // reason: "expired", "rejected", "full".
  void EventsDropped(const std::string& reason, int64_t events);
  // store: "journal", "events", "commands".
  void StoreFailed(const std::string& store, const absl::Status& status);
  void StoreRepaired(const std::string& store);
  void CertificateExpires(absl::Time time);
  // result: "renewed", "refused", "unreachable", "failed".
  void CertificateRenewal(const std::string& result);
  void Compression(const link::CompressionBytes& bytes);
  // class: "session", "resource_sync", "report", "event", "command" or "tunnel".
  void BytesUp(absl::string_view frame_class, size_t bytes);
  void BytesDown(absl::string_view frame_class, size_t bytes);
  struct ClassBytes {
    std::string frame_class;
    uint64_t up = 0;
    uint64_t down = 0;
  };
  // Since this process started; of every class.
  std::vector<ClassBytes> LinkBytes() const;
  // left: of what may go up, below 0 in debt. waited: how long something waited for it, in all.
  void Budget(int64_t left_bytes, absl::Duration waited);

 private:
  using Counters = std::map<std::string, prometheus::Counter*, std::less<>>;

  prometheus::Gauge& connected_;
  prometheus::Counter& dials_;
  prometheus::Counter& connects_;
  prometheus::Gauge& clock_skew_;
  prometheus::Gauge& heartbeat_interval_;
  prometheus::Histogram& detection_;
  prometheus::Gauge& spokes_;
  prometheus::Gauge& journal_entries_;
  prometheus::Gauge& journal_bytes_;
  prometheus::Gauge& journal_bytes_max_;
  prometheus::Gauge& journal_type_bytes_;
  prometheus::Gauge& journal_type_bytes_max_;
  prometheus::Gauge& journal_oldest_;
  prometheus::Counter& stored_;
  prometheus::Histogram& round_trip_;
  prometheus::Gauge& certificate_expire_;
  prometheus::Gauge& event_entries_;
  prometheus::Gauge& event_bytes_;
  prometheus::Gauge& event_stream_bytes_;
  prometheus::Gauge& event_stream_bytes_max_;
  prometheus::Gauge& event_oldest_;
  prometheus::Counter& events_stored_;
  prometheus::Counter& events_repeated_;
  prometheus::Counter& events_refused_;
  prometheus::Gauge& tunnels_;
  prometheus::Counter& tunnels_total_;
  prometheus::Gauge& commands_;
  prometheus::Gauge& command_records_;
  prometheus::Gauge& command_response_bytes_;
  prometheus::Gauge& command_response_bytes_max_;
  prometheus::Counter& commands_started_;
  prometheus::Counter& commands_repeated_;
  prometheus::Counter& commands_refused_;
  prometheus::Counter& command_responses_dropped_;
  prometheus::Gauge& budget_left_;
  prometheus::Counter& budget_waited_;
  Counters command_ends_;
  Counters ends_;
  Counters adaptations_;
  Counters dropped_;
  Counters events_dropped_;
  Counters renewals_;
  Counters repairs_;
  std::map<std::string, Counters> store_errors_;  // By store.
  std::map<std::string, Counters> compressed_;    // By direction, then form.
  Counters bytes_up_;
  Counters bytes_down_;
  std::map<link::edge::Incident, prometheus::Counter*> incidents_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_METRICS_H_
