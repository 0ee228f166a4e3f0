// Cuts the body of a watch into events.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_WATCH_DECODER_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_WATCH_DECODER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeclient/client.h"

namespace skerry::kubeclient {

// One JSON event a line, in chunks of any size. Used by one thread.
class WatchDecoder {
 public:
  // A line over `line_bytes_max` is RESOURCE_EXHAUSTED.
  WatchDecoder(size_t line_bytes_max, std::function<void(WatchEvent event)> on_event)
      : line_bytes_max_(line_bytes_max), on_event_(std::move(on_event)) {}

  // An ERROR event, or a line that is no event, ends the watch with an error.
  absl::Status Feed(absl::string_view chunk);

 private:
  absl::Status Line(absl::string_view line);

  const size_t line_bytes_max_;
  const std::function<void(WatchEvent event)> on_event_;
  std::string partial_;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_WATCH_DECODER_H_
