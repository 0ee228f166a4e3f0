// A SPDY/3.1 connection, as its server.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_SESSION_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/spdy_frames.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Each stream that the peer opens is a channel. There are no windows (what Go's kubectl and
// kube-apiserver speak has none either): a stream that is not read holds the others. Streams beyond
// kStreamsMax are refused. On the strand.
class SpdySession final : public StreamConnection {
 public:
  static constexpr size_t kStreamsMax = 2048;

  // An error refuses the stream.
  using OnStream = std::function<absl::Status(std::shared_ptr<Channel>, const spdy::Headers&)>;

  using StreamConnection::StreamConnection;
  ~SpdySession() override;

  // Before Start. Dropped at the end.
  void OnStreamOpened(OnStream on_stream) { on_stream_ = std::move(on_stream); }
  // Called for each stream that is refused; must not block.
  void OnStreamRefused(std::function<void()> refused) { on_refused_ = std::move(refused); }

 private:
  class Stream;

  absl::Status Take(absl::string_view bytes) override;
  Held HeldInput() const override;
  std::string Farewell(const absl::Status& status) override;
  void FailChannels(const absl::Status& status) override;

  absl::Status Handle(spdy::Frame frame);
  absl::Status Open(const spdy::SynStream& frame);
  void TakeData(spdy::Data data);
  void Fin(uint32_t id);
  void Reset(uint32_t id, spdy::Reset status);
  void Refuse(uint32_t id);
  // Both halves have ended.
  void Forget(uint32_t id) { streams_.erase(id); }

  spdy::FrameReader reader_;
  spdy::FrameWriter writer_;
  uint32_t last_stream_ = 0;
  std::map<uint32_t, std::shared_ptr<Stream>> streams_;
  OnStream on_stream_;
  std::function<void()> on_refused_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_SPDY_SESSION_H_
