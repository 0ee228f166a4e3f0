#include "services/edged-svc/streaming/stream_metrics.h"

namespace skerry::edged {
namespace {

void Count(const std::map<std::string, prometheus::Counter*>& counters, absl::string_view label) {
  const auto it = counters.find(std::string(label));
  if (it != counters.end()) it->second->Increment();
}

}  // namespace

absl::string_view StreamKindName(StreamRequest::Kind kind) {
  switch (kind) {
    case StreamRequest::Kind::kExec:
      return "exec";
    case StreamRequest::Kind::kAttach:
      return "attach";
    case StreamRequest::Kind::kPortForward:
      break;
  }
  return "portforward";
}

StreamMetrics::StreamMetrics(metrics::Registry& registry)
    : open_(
          registry.Gauge("skerry_edged_streams",
                         "Connections of exec, attach and port-forward that edged serves itself")) {
  for (const char* kind : {"exec", "attach", "portforward"})
    opened_[kind] = &registry.Counter("skerry_edged_streams_opened_total",
                                      "Connections that were upgraded", {{"kind", kind}});
  for (const char* result : {"ok", "error"})
    ended_[result] =
        &registry.Counter("skerry_edged_streams_ended_total",
                          "Connections that ended: in order, or cut", {{"result", result}});
  for (const char* why : {"waiting", "open", "token", "upgrade", "stream"})
    refused_[why] = &registry.Counter("skerry_edged_streams_refused_total",
                                      "Streams that were not served, by what was wrong or full",
                                      {{"reason", why}});
}

void StreamMetrics::Opened(StreamRequest::Kind kind) {
  open_.Increment();
  Count(opened_, StreamKindName(kind));
}
void StreamMetrics::Ended(bool ok) { Count(ended_, ok ? "ok" : "error"); }
void StreamMetrics::Refused(absl::string_view why) { Count(refused_, why); }

}  // namespace skerry::edged
