// The client's end of a stream: requests by hand, frames as values.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_STREAM_CLIENT_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_STREAM_CLIENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/spdy_frames.h"
#include "services/edged-svc/streaming/websocket_frames.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/pipe/connector.h"

namespace skerry::edged {

// For one thread: its calls block until the server has spoken. A server that does not is the test's
// timeout.
class StreamClient {
 public:
  // What of a channel or stream has come until it ended.
  struct Heard {
    std::map<uint32_t, std::string> text;  // By channel or stream.
    std::map<uint32_t, bool> fin;          // SPDY: it was ended.
    std::map<uint32_t, uint32_t> reset;    // SPDY: with a status.
    bool goodbye = false;                  // GOAWAY, or a close frame.
  };

  // Connects to the URL's server and asks it to upgrade; the head of the answer is `head`.
  StreamClient(const std::string& url, absl::string_view headers);
  ~StreamClient();

  const std::string& head() const { return head_; }
  // What is left of the answer when the server has closed the connection.
  std::string Body();

  void Send(std::string bytes);
  void Send(const spdy::Frame& frame) { Send(writer_.Write(frame)); }
  void SendMessage(absl::string_view bytes);

  // Reads until `enough` says so, or the server closes the connection.
  using Enough = bool (*)(const Heard&);
  const Heard& HearSpdy(Enough enough);
  const Heard& HearWebSocket(Enough enough);
  // Until the end.
  static bool Never(const Heard&) { return false; }

  static std::string SpdyHeaders(absl::string_view protocols);
  static std::string WebSocketHeaders(absl::string_view protocols);

 private:
  std::string Read();  // None: it was closed.

  pipe::Connector connector_;
  std::shared_ptr<pipe::ByteStream> stream_;
  std::string head_, rest_;
  spdy::FrameWriter writer_;
  spdy::FrameReader spdy_;
  websocket::FrameReader websocket_{websocket::From::kServer};
  uint32_t channel_ = 0;  // Of the message that is being read.
  Heard heard_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_STREAM_CLIENT_H_
