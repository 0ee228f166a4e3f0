// The streams of exec and attach over SPDY, until all are there.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STREAMS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STREAMS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/remote_command.h"
#include "services/edged-svc/streaming/spdy_frames.h"

namespace skerry::edged {

// The client opens one for its errors and one for each thing that it asked for, in any order; each
// says what it is in "streamtype". On the strand.
class RemoteStreams {
 public:
  // resizes: the protocol has a stream for the terminal's size.
  RemoteStreams(const StreamRequest& request, bool resizes,
                absl::AnyInvocable<void(RemoteChannels)> complete);

  // An error refuses it: not asked for, or there already.
  absl::Status OnStream(std::shared_ptr<Channel> stream, const spdy::Headers& headers);
  bool complete() const { return wanted_.empty(); }

 private:
  RemoteChannels channels_;
  // Those that are still to come, by type.
  std::map<std::string, std::shared_ptr<Channel> RemoteChannels::*> wanted_;
  absl::AnyInvocable<void(RemoteChannels)> complete_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STREAMS_H_
