#include "services/edgehub-svc/metrics.h"

#include <algorithm>

#include "services/lib/base/error.h"
#include "services/lib/base/strings.h"

namespace skerry::edgehub {
namespace {

using link::edge::Incident;

constexpr const char* kClasses[] = {"session", "resource_sync", "report",
                                    "event",   "command",       "tunnel"};
constexpr const char* kEnds[] = {
    "HEARTBEAT_LOST",  "DRAINING",           "FENCED",         "OVERLOADED",  "STALE_EPOCH",
    "WELCOME_TIMEOUT", "PROTOCOL_VIOLATION", "NODE_KEY_WRONG", "NODE_CLONED", "other"};
constexpr const char* kDirections[] = {"shorter", "longer"};
constexpr const char* kCommandEnds[] = {"ok", "error", "COMMAND_DEADLINE_EXCEEDED",
                                        "COMMAND_OUTCOME_UNKNOWN"};
constexpr const char* kDrops[] = {"expired", "rejected", "full"};
constexpr const char* kStores[] = {"journal", "events", "commands"};
constexpr const char* kStoreErrors[] = {"full", "damaged", "other"};
constexpr const char* kRenewals[] = {"renewed", "refused", "unreachable", "failed"};

}  // namespace

EdgeHubMetrics::EdgeHubMetrics(metrics::Registry& registry)
    : connected_(registry.Gauge("skerry_edgehub_link_connected",
                                "1 while there is a session with the cloud.")),
      dials_(registry.Counter("skerry_edgehub_dials_total", "Attempts to reach the cloud.")),
      connects_(registry.Counter("skerry_edgehub_sessions_total", "Sessions that began.")),
      clock_skew_(registry.Gauge("skerry_edgehub_clock_skew_seconds",
                                 "Cloud's clock less ours when the session began.")),
      heartbeat_interval_(registry.Gauge("skerry_edgehub_heartbeat_interval_seconds",
                                         "Heartbeat interval of this session, or of the next.")),
      detection_(
          registry.Histogram("skerry_edgehub_detection_seconds",
                             "How long nothing had been heard when a session was found to be over.",
                             {0.1, 1, 5, 10, 15, 20, 30, 45, 60, 120})),
      spokes_(registry.Gauge("skerry_edgehub_spokes", "Services of the box that are attached.")),
      journal_entries_(
          registry.Gauge("skerry_edgehub_journal_entries", "Reports that wait for the cloud.")),
      journal_bytes_(registry.Gauge("skerry_edgehub_journal_bytes",
                                    "Size of the reports that wait for the cloud.")),
      journal_bytes_max_(registry.Gauge("skerry_edgehub_journal_bytes_max",
                                        "The bound of the reports that wait, of all types.")),
      journal_type_bytes_(
          registry.Gauge("skerry_edgehub_journal_type_bytes",
                         "Size of the reports that wait, of the type that has most.")),
      journal_type_bytes_max_(registry.Gauge("skerry_edgehub_journal_type_bytes_max",
                                             "The bound of the reports of one type.")),
      journal_oldest_(
          registry.Gauge("skerry_edgehub_journal_oldest_timestamp_seconds",
                         "Now less the age of the oldest report that waits; 0 when none waits.")),
      stored_(registry.Counter("skerry_edgehub_reports_stored_total",
                               "Reports taken into the journal.")),
      round_trip_(
          registry.Histogram("skerry_edgehub_report_round_trip_seconds",
                             "From reading a report from the journal until the cloud had applied "
                             "it; of one at a time.",
                             {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300})),
      certificate_expire_(registry.Gauge("skerry_edgehub_certificate_expire_timestamp_seconds",
                                         "When this node's certificate ends.")),
      event_entries_(
          registry.Gauge("skerry_edgehub_event_entries", "Events that wait for the cloud.")),
      event_bytes_(registry.Gauge("skerry_edgehub_event_bytes",
                                  "Size of the events that wait for the cloud.")),
      event_stream_bytes_(registry.Gauge("skerry_edgehub_event_stream_bytes",
                                         "Size of the events that wait, of the fullest stream.")),
      event_stream_bytes_max_(registry.Gauge("skerry_edgehub_event_stream_bytes_max",
                                             "The bound of the events of one stream.")),
      event_oldest_(
          registry.Gauge("skerry_edgehub_event_oldest_timestamp_seconds",
                         "When the oldest event that waits was stored; 0 when none waits.")),
      events_stored_(
          registry.Counter("skerry_edgehub_events_stored_total", "Events taken into the journal.")),
      events_repeated_(registry.Counter("skerry_edgehub_events_repeated_total",
                                        "Events put again that the journal had taken before.")),
      events_refused_(registry.Counter("skerry_edgehub_event_puts_refused_total",
                                       "Requests of which a full stream refused something.")),
      tunnels_(registry.Gauge("skerry_edgehub_tunnels", "Tunnels that services of the box serve.")),
      tunnels_total_(registry.Counter("skerry_edgehub_tunnels_total",
                                      "Tunnels that services of the box have taken.")),
      commands_(registry.Gauge("skerry_edgehub_commands", "Commands that are under way.")),
      command_records_(
          registry.Gauge("skerry_edgehub_command_records", "Commands whose keys are remembered.")),
      command_response_bytes_(registry.Gauge("skerry_edgehub_command_response_bytes",
                                             "Responses that are kept for repeats.")),
      command_response_bytes_max_(
          registry.Gauge("skerry_edgehub_command_response_bytes_max",
                         "The bound of the responses that are kept for repeats.")),
      commands_started_(
          registry.Counter("skerry_edgehub_commands_started_total", "Commands that were started.")),
      commands_repeated_(registry.Counter("skerry_edgehub_commands_repeated_total",
                                          "Commands that came again and were known.")),
      commands_refused_(
          registry.Counter("skerry_edgehub_commands_refused_total",
                           "Commands that were refused: a full or failing store, a used key.")),
      command_responses_dropped_(
          registry.Counter("skerry_edgehub_command_responses_dropped_total",
                           "Responses that made room for later ones before their time.")),
      budget_left_(registry.Gauge("skerry_edgehub_link_budget_bytes",
                                  "What may go up now within link.metered; below 0 in debt.")),
      budget_waited_(
          registry.Counter("skerry_edgehub_link_deferred_seconds_total",
                           "How long something waited for the budget of link.metered.")) {
  for (const char* result : kCommandEnds) {
    command_ends_[result] = &registry.Counter("skerry_edgehub_command_ends_total",
                                              "Commands that ended.", {{"result", result}});
  }
  for (const char* reason : kEnds) {
    ends_[reason] = &registry.Counter("skerry_edgehub_session_ends_total",
                                      "Sessions and dials that ended.", {{"reason", reason}});
  }
  for (const char* direction : kDirections) {
    adaptations_[direction] = &registry.Counter("skerry_edgehub_heartbeat_adaptations_total",
                                                "Times the heartbeat interval followed the line.",
                                                {{"direction", direction}});
  }
  for (const char* reason : kDrops) {
    dropped_[reason] =
        &registry.Counter("skerry_edgehub_journal_drops_total",
                          "Reports that will not be applied by the cloud.", {{"reason", reason}});
    events_dropped_[reason] =
        &registry.Counter("skerry_edgehub_event_drops_total",
                          "Events that will not be applied by the cloud.", {{"reason", reason}});
  }
  for (const char* result : kRenewals) {
    renewals_[result] =
        &registry.Counter("skerry_edgehub_certificate_renewals_total",
                          "Attempts to renew this node's certificate.", {{"result", result}});
  }
  for (const char* store : kStores) {
    repairs_[store] =
        &registry.Counter("skerry_edgehub_store_repairs_total",
                          "Damaged files that were set aside and made anew.", {{"store", store}});
    for (const char* reason : kStoreErrors) {
      store_errors_[store][reason] =
          &registry.Counter("skerry_edgehub_store_errors_total", "What a store could not do.",
                            {{"store", store}, {"reason", reason}});
    }
  }
  for (const char* direction : {"up", "down"}) {
    for (const char* form : {"plain", "compressed"}) {
      compressed_[direction][form] =
          &registry.Counter("skerry_edgehub_link_compressed_bytes_total",
                            "Frames that were compressed: before that, and after it.",
                            {{"direction", direction}, {"form", form}});
    }
  }
  for (const char* name : kClasses) {
    bytes_up_[name] =
        &registry.Counter("skerry_edgehub_link_bytes_total", "Serialized frames on the link.",
                          {{"direction", "up"}, {"class", name}});
    bytes_down_[name] =
        &registry.Counter("skerry_edgehub_link_bytes_total", "Serialized frames on the link.",
                          {{"direction", "down"}, {"class", name}});
  }
  const auto stale = [&](const char* what) {
    return &registry.Counter("skerry_edgehub_stale_frames_total",
                             "Frames that came too late to matter.", {{"frame", what}});
  };
  incidents_[Incident::kStaleChange] = stale("resource");
  incidents_[Incident::kStaleSubscribe] = stale("subscribe");
  incidents_[Incident::kStaleDone] = stale("resource_done");
  incidents_[Incident::kStaleConnection] = stale("connection");
  incidents_[Incident::kStaleTunnel] = stale("tunnel");
  incidents_[Incident::kStaleCommand] = stale("command_done");
  incidents_[Incident::kDeferred] =
      &registry.Counter("skerry_edgehub_link_deferrals_total",
                        "How often something began to wait for the budget of link.metered.");
}

void EdgeHubMetrics::SetBounds(const Bounds& bounds) {
  journal_bytes_max_.Set(static_cast<double>(bounds.journal_bytes));
  journal_type_bytes_max_.Set(static_cast<double>(bounds.journal_type_bytes));
  event_stream_bytes_max_.Set(static_cast<double>(bounds.event_stream_bytes));
  command_response_bytes_max_.Set(static_cast<double>(bounds.command_response_bytes));
}

void EdgeHubMetrics::Connected(absl::Duration clock_skew, absl::Duration heartbeat_interval) {
  connected_.Set(1);
  connects_.Increment();
  clock_skew_.Set(absl::ToDoubleSeconds(clock_skew));
  heartbeat_interval_.Set(absl::ToDoubleSeconds(heartbeat_interval));
}

void EdgeHubMetrics::IntervalAdapted(const link::edge::IntervalAdapted& adapted) {
  heartbeat_interval_.Set(absl::ToDoubleSeconds(adapted.to));
  adaptations_[adapted.to < adapted.from ? "shorter" : "longer"]->Increment();
}

void EdgeHubMetrics::Disconnected(bool was_connected, const std::string& reason,
                                  absl::Duration silence) {
  connected_.Set(0);
  if (was_connected) detection_.Observe(absl::ToDoubleSeconds(silence));
  auto it = ends_.find(reason);
  (it == ends_.end() ? ends_.find("other") : it)->second->Increment();
}

void EdgeHubMetrics::Incident(link::edge::Incident incident) {
  auto it = incidents_.find(incident);
  if (it != incidents_.end()) it->second->Increment();
}

void EdgeHubMetrics::Journal(const JournalStats& stats) {
  journal_entries_.Set(static_cast<double>(stats.entries));
  journal_bytes_.Set(static_cast<double>(stats.size_bytes));
  int64_t fullest = 0;
  for (const auto& [type, bytes] : stats.type_bytes) fullest = std::max(fullest, bytes);
  journal_type_bytes_.Set(static_cast<double>(fullest));
  journal_oldest_.Set(
      stats.entries == 0 ? 0 : absl::ToDoubleSeconds(stats.oldest_time - absl::UnixEpoch()));
}

void EdgeHubMetrics::Dropped(const std::string& reason, int64_t entries) {
  auto it = dropped_.find(reason);
  if (it != dropped_.end()) it->second->Increment(static_cast<double>(entries));
}

void EdgeHubMetrics::EventsDropped(const std::string& reason, int64_t events) {
  auto it = events_dropped_.find(reason);
  if (it != events_dropped_.end()) it->second->Increment(static_cast<double>(events));
}

void EdgeHubMetrics::Commands(size_t executing, const CommandStats& stats) {
  commands_.Set(static_cast<double>(executing));
  command_records_.Set(static_cast<double>(stats.records));
  command_response_bytes_.Set(static_cast<double>(stats.response_bytes));
}

void EdgeHubMetrics::CommandLookedUp(link::edge::CommandRecord::State state) {
  using State = link::edge::CommandRecord::State;
  if (state == State::kBegun) commands_started_.Increment();
  if (state == State::kStarted || state == State::kDone) commands_repeated_.Increment();
  if (state == State::kRefused) commands_refused_.Increment();
}

void EdgeHubMetrics::CommandEnded(const absl::Status& status, int64_t responses_dropped) {
  command_responses_dropped_.Increment(static_cast<double>(responses_dropped));
  auto it = command_ends_.find(status.ok() ? "ok" : GetErrorInfo(status).reason);
  (it == command_ends_.end() ? command_ends_.find("error") : it)->second->Increment();
}

void EdgeHubMetrics::Streams(const std::map<std::string, StreamStats>& streams) {
  int64_t entries = 0;
  int64_t bytes = 0;
  int64_t fullest = 0;
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& [name, stats] : streams) {
    entries += stats.entries;
    bytes += stats.size_bytes;
    fullest = std::max(fullest, stats.size_bytes);
    oldest = std::min(oldest, stats.oldest_time);
  }
  event_entries_.Set(static_cast<double>(entries));
  event_bytes_.Set(static_cast<double>(bytes));
  event_stream_bytes_.Set(static_cast<double>(fullest));
  event_oldest_.Set(entries == 0 ? 0 : absl::ToDoubleSeconds(oldest - absl::UnixEpoch()));
}

void EdgeHubMetrics::StoreFailed(const std::string& store, const absl::Status& status) {
  const char* reason = absl::IsResourceExhausted(status) ? "full"
                       : absl::IsDataLoss(status)        ? "damaged"
                                                         : "other";
  auto it = store_errors_.find(store);
  if (it != store_errors_.end()) it->second.at(reason)->Increment();
}

void EdgeHubMetrics::StoreRepaired(const std::string& store) {
  auto it = repairs_.find(store);
  if (it != repairs_.end()) it->second->Increment();
}

void EdgeHubMetrics::CertificateExpires(absl::Time time) {
  certificate_expire_.Set(absl::ToDoubleSeconds(time - absl::UnixEpoch()));
}

void EdgeHubMetrics::CertificateRenewal(const std::string& result) {
  auto it = renewals_.find(result);
  if (it != renewals_.end()) it->second->Increment();
}

void EdgeHubMetrics::Compression(const link::CompressionBytes& bytes) {
  Counters& forms = compressed_[bytes.sent ? "up" : "down"];
  forms["plain"]->Increment(static_cast<double>(bytes.plain));
  forms["compressed"]->Increment(static_cast<double>(bytes.compressed));
}

void EdgeHubMetrics::BytesUp(absl::string_view frame_class, size_t bytes) {
  auto it = bytes_up_.find(ToStd(frame_class));
  if (it != bytes_up_.end()) it->second->Increment(static_cast<double>(bytes));
}

void EdgeHubMetrics::BytesDown(absl::string_view frame_class, size_t bytes) {
  auto it = bytes_down_.find(ToStd(frame_class));
  if (it != bytes_down_.end()) it->second->Increment(static_cast<double>(bytes));
}

std::vector<EdgeHubMetrics::ClassBytes> EdgeHubMetrics::LinkBytes() const {
  std::vector<ClassBytes> classes;
  for (const char* name : kClasses) {
    classes.push_back({name, static_cast<uint64_t>(bytes_up_.at(name)->Value()),
                       static_cast<uint64_t>(bytes_down_.at(name)->Value())});
  }
  return classes;
}

void EdgeHubMetrics::Budget(int64_t left_bytes, absl::Duration waited) {
  budget_left_.Set(static_cast<double>(left_bytes));
  budget_waited_.Increment(std::max(0.0, absl::ToDoubleSeconds(waited) - budget_waited_.Value()));
}

}  // namespace skerry::edgehub
