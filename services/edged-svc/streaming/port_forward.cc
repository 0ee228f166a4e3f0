#include "services/edged-svc/streaming/port_forward.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/spdy_session.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

absl::Status PortForward::OnStream(std::shared_ptr<Channel> stream, const spdy::Headers& headers) {
  const absl::string_view type = spdy::Find(headers, "streamtype");
  const absl::string_view port_text = spdy::Find(headers, "port");
  const std::string id(spdy::Find(headers, "requestid"));
  uint32_t port = 0;
  if (type != "data" && type != "error")
    return InvalidField("streamtype", type, "must be data or error");
  if (id.empty()) return InvalidField("requestid", id, "must name the pair of streams");
  if (!absl::SimpleAtoi(port_text, &port) || port < 1 || port > 65535)
    return InvalidField("port", port_text, "must be a number from 1 to 65535");
  if (halves_.size() >= SpdySession::kStreamsMax)
    return Error(absl::StatusCode::kResourceExhausted, "too many streams wait for their other half")
        .Reason("TOO_MANY_STREAMS");
  Half& half = halves_[id];
  std::shared_ptr<Channel>& place = type == "data" ? half.data : half.error;
  if (place != nullptr)
    return InvalidField("requestid", id, absl::StrCat("has a ", type, " stream already"));
  place = std::move(stream);
  if (type == "data") half.port = static_cast<uint16_t>(port);
  if (half.data != nullptr && half.error != nullptr) {
    deps_.timers.Cancel(half.timer);
    const Half whole = std::move(half);
    halves_.erase(id);
    StartPair(whole.port, whole.data, whole.error, /*last_ends=*/false);
    return absl::OkStatus();
  }
  half.timer = deps_.timers.PostAfter(deps_.creation_timeout, [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->connection_->strand().Run([self, id] { self->PairLate(id); });
  });
  return absl::OkStatus();
}

void PortForward::PairLate(const std::string& id) {
  const auto it = halves_.find(id);
  if (it == halves_.end()) return;
  const Half half = it->second;
  halves_.erase(it);
  for (const auto& channel : {half.data, half.error}) {
    if (channel == nullptr) continue;
    if (channel == half.error) {
      channel->Write(absl::StrCat("the data stream of request ", id, " did not come in time"),
                     [](absl::Status) {});
    }
    channel->End();
    channel->Discard();
  }
}

void PortForward::StartChannels(const WebSocketSession& session) {
  const auto self = shared_from_this();
  size_t number = 0;
  for (const int32_t port : request_.ports) {
    const std::shared_ptr<Channel> data = session.channel(number++);
    const std::shared_ptr<Channel> error = session.channel(number++);
    // So a client can tell which is which.
    const std::string name = {static_cast<char>(port & 0xff), static_cast<char>(port >> 8 & 0xff)};
    data->Write(name, [](absl::Status) {});
    error->Write(name, [](absl::Status) {});
    StartPair(static_cast<uint16_t>(port), data, error, /*last_ends=*/true);
  }
}

void PortForward::StartPair(uint16_t port, std::shared_ptr<Channel> data,
                            std::shared_ptr<Channel> error, bool last_ends) {
  const size_t number = next_pair_++;
  auto pair = std::make_shared<PortPair>(
      PortPair::Deps{deps_.backend, deps_.timers, connection_->strand(), connection_}, request_.id,
      port, std::move(data), std::move(error), [weak = weak_from_this(), number, last_ends] {
        const auto self = weak.lock();
        if (self == nullptr) return;
        self->pairs_.erase(number);
        if (last_ends && self->pairs_.empty() && !self->ended_) {
          // After those that are being started.
          self->connection_->strand().Run([self] {
            if (self->pairs_.empty()) self->connection_->End(absl::OkStatus());
          });
        }
      });
  pairs_[number] = pair;
  pair->Start();
}

void PortForward::ConnectionEnded() {
  if (std::exchange(ended_, true)) return;
  for (const auto& [id, half] : std::exchange(halves_, {})) deps_.timers.Cancel(half.timer);
  const std::map<size_t, std::shared_ptr<PortPair>> pairs = std::exchange(pairs_, {});
  for (const auto& [number, pair] : pairs) pair->Stop();
}

}  // namespace skerry::edged
