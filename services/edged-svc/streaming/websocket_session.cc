#include "services/edged-svc/streaming/websocket_session.h"

#include <algorithm>
#include <utility>

#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

using websocket::Opcode;
using websocket::Piece;

constexpr uint8_t kCloseChannel = 255;
constexpr uint16_t kNormalClosure = 1000, kProtocolError = 1002;

// A session of bytes as what a SPDY session runs over.
class WebSocketStream final : public pipe::ByteStream {
 public:
  explicit WebSocketStream(std::shared_ptr<WebSocketSession> session)
      : session_(std::move(session)) {}

  void Read(ReadDone done) override {
    session_->strand().Run([session = session_, done = std::move(done)]() mutable {
      session->channel(0)->Read(std::move(done));
    });
  }
  void Write(std::string bytes, WriteDone done) override {
    session_->strand().Run(
        [session = session_, bytes = std::move(bytes), done = std::move(done)]() mutable {
          session->channel(0)->Write(std::move(bytes), std::move(done));
        });
  }
  void Close(absl::Status status) override {
    session_->strand().Run(
        [session = session_, status = std::move(status)] { session->End(status); });
  }

 private:
  const std::shared_ptr<WebSocketSession> session_;
};

}  // namespace

class WebSocketSession::NumberedChannel final
    : public Channel,
      public std::enable_shared_from_this<NumberedChannel> {
 public:
  NumberedChannel(WebSocketSession& session, std::string prefix)
      : session_(&session), prefix_(std::move(prefix)) {}

  void Read(ReadDone done) override {
    const auto self = shared_from_this();  // What is called back may drop the last other one.
    input.Read(std::move(done));
    if (session_ != nullptr) session_->Resume();
  }
  void Discard() override {
    const auto self = shared_from_this();
    input.Discard();
    if (session_ != nullptr) session_->Resume();
  }
  void Write(std::string bytes, WriteDone done) override {
    if (session_ == nullptr || ended_) return done(absl::CancelledError("the channel has ended"));
    session_->Send(websocket::Render(Opcode::kBinary, prefix_ + bytes), std::move(done));
  }
  // There is no word for it.
  void End() override { ended_ = true; }

  void Gone(const absl::Status& status) {
    session_ = nullptr;
    input.Fail(status);
  }

  ChannelInput input;

 private:
  WebSocketSession* session_;  // Null: the connection has ended.
  const std::string prefix_;
  bool ended_ = false;
};

WebSocketSession::WebSocketSession(std::shared_ptr<pipe::ByteStream> stream, Shape shape)
    : StreamConnection(std::move(stream)), shape_(shape) {
  const bool numbered = shape_.framing == Framing::kChannels;
  for (size_t i = 0; i < (numbered ? shape_.channels : 1); ++i) {
    channels_.push_back(std::make_shared<NumberedChannel>(
        *this, numbered ? std::string(1, static_cast<char>(i)) : std::string()));
  }
}

WebSocketSession::~WebSocketSession() {
  FailChannels(absl::CancelledError("the connection has ended"));
}

std::shared_ptr<Channel> WebSocketSession::channel(size_t number) const {
  return channels_.at(number);
}

absl::Status WebSocketSession::Take(absl::string_view bytes) {
  reader_.Put(bytes);
  while (!ended()) {
    SKERRY_ASSIGN_OR_RETURN(std::optional<Piece> piece, reader_.Next());
    if (!piece.has_value()) break;
    Handle(*std::move(piece));
  }
  return absl::OkStatus();
}

void WebSocketSession::Handle(Piece piece) {
  switch (piece.opcode) {
    case Opcode::kPing:
      return Send(websocket::Render(Opcode::kPong, piece.bytes));
    case Opcode::kPong:
      return;
    case Opcode::kClose:
      return End(absl::OkStatus());
    default:
      return TakeMessage(std::move(piece));
  }
}

void WebSocketSession::TakeMessage(Piece piece) {
  if (piece.first) to_.reset();
  if (shape_.framing == Framing::kBytes) {
    to_ = 0;
  } else if (!to_.has_value()) {
    if (piece.bytes.empty()) return;  // A message of nothing, or the begin of one.
    to_ = static_cast<uint8_t>(piece.bytes[0]);
    piece.bytes.erase(0, 1);
  }
  if (piece.bytes.empty()) return;
  if (shape_.peer_closes && *to_ == kCloseChannel) {
    if (const size_t closed = static_cast<uint8_t>(piece.bytes[0]); closed < channels_.size())
      channels_[closed]->input.End();
    return;
  }
  if (*to_ < channels_.size()) channels_[*to_]->input.Put(std::move(piece.bytes));
}

StreamConnection::Held WebSocketSession::HeldInput() const {
  Held held;
  for (const auto& channel : channels_) {
    held.most = std::max(held.most, channel->input.bytes());
    held.all += channel->input.bytes();
  }
  return held;
}

std::string WebSocketSession::Farewell(const absl::Status& status) {
  const std::string reason(status.message());
  return websocket::Render(
      Opcode::kClose, websocket::CloseBody(status.ok() ? kNormalClosure : kProtocolError, reason));
}

void WebSocketSession::FailChannels(const absl::Status& status) {
  for (const auto& channel : channels_) channel->Gone(status);
}

std::shared_ptr<pipe::ByteStream> MakeWebSocketStream(std::shared_ptr<WebSocketSession> session) {
  return std::make_shared<WebSocketStream>(std::move(session));
}

}  // namespace skerry::edged
