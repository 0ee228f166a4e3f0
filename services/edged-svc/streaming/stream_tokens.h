// The URLs that were given out and not come to.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_TOKENS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_TOKENS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// Any thread may call it.
class StreamTokens {
 public:
  StreamTokens(size_t waiting_max, absl::Duration age_max)
      : waiting_max_(waiting_max), age_max_(age_max) {}

  // 128 random bits as hex. RESOURCE_EXHAUSTED (TOO_MANY_STREAMS) at waiting_max. `now` is
  // monotonic.
  absl::StatusOr<std::string> Add(StreamRequest request, absl::Duration now);
  // Once; nullopt: never given out, taken, or too old.
  std::optional<StreamRequest> Take(absl::string_view token, absl::Duration now);

 private:
  struct Waiting {
    StreamRequest request;
    absl::Duration until;
  };

  const size_t waiting_max_;
  const absl::Duration age_max_;
  absl::Mutex mutex_;
  std::map<std::string, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_STREAM_TOKENS_H_
