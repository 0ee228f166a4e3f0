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

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/store/journal_store.h"
#include "services/lib/link/edge_events.h"
#include "services/lib/metrics/registry.h"

namespace skerry::edgehub {

// Any thread may call it; `registry` outlives it.
class EdgeHubMetrics {
 public:
  explicit EdgeHubMetrics(metrics::Registry& registry);

  void Dialed() { dials_.Increment(); }
  void Connected(absl::Duration clock_skew);
  // reason: that of the status, or empty. silence: how long nothing had been heard.
  void Disconnected(bool was_connected, const std::string& reason, absl::Duration silence);
  void Spokes(size_t attached) { spokes_.Set(static_cast<double>(attached)); }
  void Incident(link::edge::Incident incident);
  void Journal(const JournalStats& stats);
  // reason: "expired", "rejected", "full".
  void Dropped(const std::string& reason, int64_t entries);
  void ReportStored() { stored_.Increment(); }
  void CertificateExpires(absl::Time time);
  // class: "session", "resource_sync" or "report".
  void BytesUp(absl::string_view frame_class, size_t bytes);
  void BytesDown(absl::string_view frame_class, size_t bytes);

 private:
  using Counters = std::map<std::string, prometheus::Counter*, std::less<>>;

  prometheus::Gauge& connected_;
  prometheus::Counter& dials_;
  prometheus::Counter& connects_;
  prometheus::Gauge& clock_skew_;
  prometheus::Histogram& detection_;
  prometheus::Gauge& spokes_;
  prometheus::Gauge& journal_entries_;
  prometheus::Gauge& journal_bytes_;
  prometheus::Gauge& journal_oldest_;
  prometheus::Counter& stored_;
  prometheus::Gauge& certificate_expire_;
  Counters ends_;
  Counters dropped_;
  Counters bytes_up_;
  Counters bytes_down_;
  std::map<link::edge::Incident, prometheus::Counter*> incidents_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_METRICS_H_
