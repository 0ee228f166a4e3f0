// What the stream server counts.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_METRICS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_METRICS_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/lib/metrics/registry.h"

namespace skerry::edged {

absl::string_view StreamKindName(StreamRequest::Kind kind);  // "exec", "attach", "portforward".

// Any thread may call it.
class StreamMetrics {
 public:
  explicit StreamMetrics(metrics::Registry& registry);

  void Opened(StreamRequest::Kind kind);
  void Closed() { open_.Decrement(); }
  void Ended(bool ok);
  // why: "waiting", "open", "token", "upgrade"; "stream": one of a connection.
  void Refused(absl::string_view why);

 private:
  prometheus::Gauge& open_;
  std::map<std::string, prometheus::Counter*> opened_, ended_, refused_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_METRICS_H_
