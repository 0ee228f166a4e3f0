// A WebSocket connection, as its server: numbered channels, or one stream of bytes.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_SESSION_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/edged-svc/streaming/websocket_frames.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// kChannels: the first byte of each message is its channel's number, as v4.channel.k8s.io has it;
// what comes for others is dropped. With `peer_closes` channel 255 names one that the peer is done
// with (v5). kBytes: the messages' bytes are one channel's. On the strand.
class WebSocketSession final : public StreamConnection {
 public:
  enum class Framing { kChannels, kBytes };
  struct Shape {
    Framing framing = Framing::kChannels;
    size_t channels = 1;  // At most 255; kBytes has one.
    bool peer_closes = false;
  };

  WebSocketSession(std::shared_ptr<pipe::ByteStream> stream, Shape shape);
  ~WebSocketSession() override;

  std::shared_ptr<Channel> channel(size_t number) const;

 private:
  class NumberedChannel;

  absl::Status Take(absl::string_view bytes) override;
  Held HeldInput() const override;
  std::string Farewell(const absl::Status& status) override;
  void FailChannels(const absl::Status& status) override;

  void Handle(websocket::Piece piece);
  void TakeMessage(websocket::Piece piece);

  const Shape shape_;
  websocket::FrameReader reader_{websocket::From::kClient};
  std::vector<std::shared_ptr<NumberedChannel>> channels_;
  std::optional<uint8_t> to_;  // The channel of the message that is being read.
};

// The one channel of a session of Framing::kBytes as a byte stream; keeps it. Any thread may call
// it.
std::shared_ptr<pipe::ByteStream> MakeWebSocketStream(std::shared_ptr<WebSocketSession> session);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_SESSION_H_
