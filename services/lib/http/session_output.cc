// The half of a session that answers: single answers, streams, and how a connection ends.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/session.h"
#include "services/lib/http/wire.h"

namespace skerry::http {
namespace {

namespace asio = boost::asio;

constexpr size_t kWriteSliceBytes = 256u << 10;
// Of these there are as many as connections.
constexpr size_t kSmallAnswerBytes = 64u << 10;
constexpr size_t kStreamBatchBytes = 64u << 10;
// A connection that ends early is read on for this long, so that the answer is not lost to a reset.
constexpr absl::Duration kLingerTime = absl::Seconds(2);

// What was asked is done: only who asks for nothing but the answer may be told to do so again,
// which clients do by themselves.
Response DroppedAnswer(bool get) {
  Response response{.status = get ? 503 : 500,
                    .headers = {{"Content-Type", "text/plain"}},
                    .body = "too many answers wait to be read; the request was handled\n"};
  if (get) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

// After it the connection ends: where the next request would begin is not known.
void Session::Refuse(int status, absl::string_view message) {
  host_->Add(SessionHost::Count::kRequestRefused);
  keep_alive_ = false;
  refused_ = true;
  parser_.reset();  // What has come of it: the client may stay for a while.
  host_->ReleaseBody(std::exchange(reserved_bytes_, 0));
  Response response{.status = status,
                    .headers = {{"Content-Type", "text/plain"}},
                    .body = absl::StrCat(message, "\n")};
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  SendAnswer(std::move(response));
}

void Session::Answer(Response response) {
  Post([response = std::move(response)](Session& self) mutable {
    if (self.state_ == State::kHandling) self.SendAnswer(std::move(response));
  });
}

void Session::CountAnswer(int status) {
  std::optional<absl::Duration> took;
  if (handed_over_.has_value())
    took = absl::FromChrono(std::chrono::steady_clock::now() - *handed_over_);
  handed_over_.reset();
  host_->Answered(status, took);
}

void Session::SendAnswer(Response response) {
  const size_t body_bytes = head_ ? 0 : response.body.size();
  if (body_bytes > kSmallAnswerBytes && !host_->ReserveAnswer(this, body_bytes)) {
    host_->Add(SessionHost::Count::kAnswerDropped);
    response = DroppedAnswer(get_);
  }
  CountAnswer(response.status);
  state_ = State::kResponding;
  host_->Busy(this);  // As far as it will ever come.
  if (draining_ || read_ended_) keep_alive_ = false;
  std::string bytes = RenderHead({.status = response.status,
                                  .headers = &response.headers,
                                  .content_length = response.body.size(),
                                  .http_1_0 = http_1_0_,
                                  .keep_alive = keep_alive_},
                                 absl::Now());
  const bool has_body = !head_ && response.status != 204 && response.status != 304;
  if (has_body) bytes += response.body;
  Write(std::move(bytes));
}

std::shared_ptr<ResponseStream> Session::StartStream(
    int status, std::vector<std::pair<std::string, std::string>> headers) {
  auto stream = std::make_shared<QueuedStream>(
      stream_pending_bytes_max_, !http_1_0_, [weak = weak_from_this()] {
        if (const std::shared_ptr<Session> self = weak.lock(); self != nullptr) {
          self->Post([](Session& session) { session.Pump(); });
        }
      });
  Post([status, headers = std::move(headers), stream](Session& self) mutable {
    self.BeginStream(status, headers, std::move(stream));
  });
  // What was posted to a closed session may never run.
  if (closed_) stream->Close();
  return stream;
}

void Session::BeginStream(int status,
                          const std::vector<std::pair<std::string, std::string>>& headers,
                          std::shared_ptr<QueuedStream> stream) {
  if (state_ != State::kHandling) return stream->Close();
  CountAnswer(status);
  if (draining_ || http_1_0_) keep_alive_ = false;
  std::string bytes = RenderHead(
      {.status = status, .headers = &headers, .http_1_0 = http_1_0_, .keep_alive = keep_alive_},
      absl::Now());
  if (head_) {
    state_ = State::kResponding;
    stream->Close();
  } else {
    state_ = State::kStreaming;
    stream_ = std::move(stream);
    stream_payload_bytes_ = 0;
    stream_last_ = false;
    if (draining_) stream_->End();
  }
  host_->ReleaseBody(std::exchange(reserved_bytes_, 0));
  if (read_ended_ && stream_ != nullptr) return Close();
  Write(std::move(bytes));
}

void Session::Pump() {
  if (state_ != State::kStreaming || writing_) return;
  QueuedStream::Batch batch = stream_->Take(kStreamBatchBytes);
  if (batch.cut) {
    host_->Add(SessionHost::Count::kStreamCut);
    return Close();
  }
  stream_payload_bytes_ = batch.payload_bytes;
  stream_last_ = batch.last;
  if (!batch.wire.empty()) {
    Write(std::move(batch.wire));
  } else if (batch.last) {
    OnWritten();
  }
}

void Session::Write(std::string bytes) {
  output_ = std::move(bytes);
  output_offset_ = 0;
  writing_ = true;
  WriteMore();
}

void Session::WriteMore() {
  SetDeadline(state_ == State::kRaw ? host_->options().taken_write_timeout
                                    : host_->options().write_timeout);
  const size_t bytes = std::min(output_.size() - output_offset_, kWriteSliceBytes);
  transport_.AsyncWrite(asio::buffer(output_.data() + output_offset_, bytes),
                        [self = shared_from_this()](const ErrorCode& error, size_t written) {
                          if (self->state_ == State::kClosed) return;
                          if (error) return self->Close();
                          self->output_offset_ += written;
                          if (self->output_offset_ < self->output_.size()) return self->WriteMore();
                          self->writing_ = false;
                          self->output_ = std::string();  // Its memory too: watches idle for hours.
                          self->host_->ReleaseAnswer(self.get());
                          self->ClearDeadline();
                          self->OnWritten();
                        });
}

void Session::OnWritten() {
  if (continue_pending_) {
    continue_pending_ = false;
    SetDeadline(host_->options().idle_timeout);
    Parse();
    return Read();
  }
  if (state_ == State::kRaw) return RawWritten();
  if (state_ == State::kStreaming) {
    stream_->Written(std::exchange(stream_payload_bytes_, 0));
    if (!stream_last_) return Pump();
    std::exchange(stream_, nullptr)->Close();
  }
  if (keep_alive_ && !draining_ && !read_ended_) return NextRequest();
  Linger();
}

void Session::Linger() {
  // All that was asked is answered: nothing can be lost, and an ending server should not wait.
  if (read_ended_ || (draining_ && !refused_)) return Close();
  state_ = State::kLingering;
  host_->Idle(this);
  ErrorCode ignored;
  transport_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  input_.clear();
  SetDeadline(kLingerTime);
  Read();
}

}  // namespace skerry::http
