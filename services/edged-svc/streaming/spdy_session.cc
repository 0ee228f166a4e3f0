#include "services/edged-svc/streaming/spdy_session.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {

class SpdySession::Stream final : public Channel, public std::enable_shared_from_this<Stream> {
 public:
  Stream(SpdySession& session, uint32_t id, bool writable)
      : session_(&session), id_(id), writable_(writable) {}

  // ---- Channel.

  void Read(ReadDone done) override {
    const auto self = shared_from_this();  // What is called back may drop the last other one.
    input_.Read(std::move(done));
    if (session_ != nullptr) session_->Resume();
  }
  void Discard() override {
    const auto self = shared_from_this();
    input_.Discard();
    if (session_ != nullptr) session_->Resume();
  }
  void Write(std::string bytes, WriteDone done) override {
    if (session_ == nullptr || !writable_)
      return done(absl::CancelledError("the stream has ended"));
    Send(std::move(bytes), false, std::move(done));
  }
  void End() override {
    if (session_ == nullptr || !std::exchange(writable_, false)) return;
    Send("", true, nullptr);
    if (!readable_) Gone(absl::OkStatus());
  }

  // ---- Of the session.

  void Put(std::string bytes) {
    if (readable_) input_.Put(std::move(bytes));
  }
  void PeerEnded() {
    if (!std::exchange(readable_, false)) return;
    input_.End();
    if (session_ != nullptr && !writable_) Gone(absl::OkStatus());
  }
  // The last word of the session about it.
  void Gone(absl::Status status) {
    SpdySession* session = std::exchange(session_, nullptr);
    readable_ = writable_ = false;
    if (!status.ok()) input_.Fail(std::move(status));
    if (session != nullptr) session->Forget(id_);
  }
  size_t held() const { return input_.bytes(); }

 private:
  void Send(std::string bytes, bool fin, WriteDone done) {
    session_->Send(
        session_->writer_.Write(spdy::Data{.stream = id_, .fin = fin, .bytes = std::move(bytes)}),
        std::move(done));
  }

  SpdySession* session_;  // Null: the stream is gone.
  const uint32_t id_;
  bool readable_ = true, writable_;
  ChannelInput input_;
};

SpdySession::~SpdySession() { FailChannels(absl::CancelledError("the connection has ended")); }

absl::Status SpdySession::Take(absl::string_view bytes) {
  reader_.Put(bytes);
  while (!ended()) {
    SKERRY_ASSIGN_OR_RETURN(std::optional<spdy::Frame> frame, reader_.Next());
    if (!frame.has_value()) break;
    SKERRY_RETURN_IF_ERROR(Handle(*std::move(frame)));
  }
  return absl::OkStatus();
}

absl::Status SpdySession::Handle(spdy::Frame frame) {
  if (auto* syn = std::get_if<spdy::SynStream>(&frame)) return Open(*syn);
  if (auto* data = std::get_if<spdy::Data>(&frame)) {
    TakeData(std::move(*data));
  } else if (auto* reset = std::get_if<spdy::RstStream>(&frame)) {
    const auto it = streams_.find(reset->stream);
    if (it == streams_.end()) return absl::OkStatus();
    const std::shared_ptr<Stream> stream = it->second;
    stream->Gone(absl::CancelledError("the client has reset the stream"));
  } else if (auto* headers = std::get_if<spdy::MoreHeaders>(&frame)) {
    if (headers->fin) Fin(headers->stream);
  } else if (auto* ping = std::get_if<spdy::Ping>(&frame)) {
    if (ping->id % 2 == 1) Send(writer_.Write(*ping));  // Even ones would answer ours.
  }
  // Nothing here depends on settings and windows; GOAWAY refuses streams that a server opens.
  return absl::OkStatus();
}

absl::Status SpdySession::Open(const spdy::SynStream& frame) {
  if (frame.stream % 2 == 0 || frame.stream <= last_stream_) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("not SPDY/3.1: the client opens stream ", frame.stream, " after ",
                              last_stream_))
        .Reason("SPDY_FRAME_INVALID");
  }
  last_stream_ = frame.stream;
  if (streams_.size() >= kStreamsMax) {
    Refuse(frame.stream);
    return absl::OkStatus();
  }
  auto stream = std::make_shared<Stream>(*this, frame.stream, !frame.unidirectional);
  streams_[frame.stream] = stream;
  Send(writer_.Write(spdy::SynReply{.stream = frame.stream}));
  if (frame.fin) stream->PeerEnded();
  const OnStream on_stream = on_stream_;  // It may end the session.
  if (!on_stream || !on_stream(stream, frame.headers).ok()) {
    stream->Gone(absl::CancelledError("the stream was refused"));
    Refuse(frame.stream);
  }
  return absl::OkStatus();
}

void SpdySession::TakeData(spdy::Data data) {
  const auto it = streams_.find(data.stream);
  if (it == streams_.end()) {
    // One that has ended may still be spoken to; one that never was may not.
    if (data.fin && data.stream > last_stream_) Reset(data.stream, spdy::Reset::kInvalidStream);
    return;
  }
  const std::shared_ptr<Stream> stream = it->second;
  if (!data.bytes.empty()) stream->Put(std::move(data.bytes));
  if (data.fin) stream->PeerEnded();
}

void SpdySession::Fin(uint32_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const std::shared_ptr<Stream> stream = it->second;
  stream->PeerEnded();
}

void SpdySession::Reset(uint32_t id, spdy::Reset status) {
  Send(writer_.Write(spdy::RstStream{.stream = id, .status = static_cast<uint32_t>(status)}));
}

void SpdySession::Refuse(uint32_t id) {
  if (on_refused_) on_refused_();
  Reset(id, spdy::Reset::kRefusedStream);
}

StreamConnection::Held SpdySession::HeldInput() const {
  Held held;
  for (const auto& [id, stream] : streams_) {
    held.most = std::max(held.most, stream->held());
    held.all += stream->held();
  }
  return held;
}

std::string SpdySession::Farewell(const absl::Status& status) {
  return writer_.Write(
      spdy::GoAway{.last_good_stream = last_stream_, .status = status.ok() ? 0u : 1u});
}

void SpdySession::FailChannels(const absl::Status& status) {
  on_stream_ = nullptr;
  const std::map<uint32_t, std::shared_ptr<Stream>> streams = std::exchange(streams_, {});
  for (const auto& [id, stream] : streams) stream->Gone(status);
}

}  // namespace skerry::edged
