#include "services/edged-svc/streaming/remote_streams.h"

#include <utility>

#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

RemoteStreams::RemoteStreams(const StreamRequest& request, bool resizes,
                             absl::AnyInvocable<void(RemoteChannels)> complete)
    : wanted_{{"error", &RemoteChannels::error}}, complete_(std::move(complete)) {
  if (request.in) wanted_["stdin"] = &RemoteChannels::in;
  if (request.out) wanted_["stdout"] = &RemoteChannels::out;
  if (request.err && !request.tty) wanted_["stderr"] = &RemoteChannels::err;
  if (request.tty && resizes) wanted_["resize"] = &RemoteChannels::resize;
}

absl::Status RemoteStreams::OnStream(std::shared_ptr<Channel> stream,
                                     const spdy::Headers& headers) {
  const absl::string_view type = spdy::Find(headers, "streamtype");
  const auto it = wanted_.find(std::string(type));
  if (it == wanted_.end())
    return InvalidField("streamtype", type, "must be one that was asked for, once");
  channels_.*it->second = std::move(stream);
  wanted_.erase(it);
  if (complete()) std::exchange(complete_, nullptr)(std::move(channels_));
  return absl::OkStatus();
}

}  // namespace skerry::edged
