#include "services/lib/http/session.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/http/request_target.h"

namespace skerry::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr size_t kIdleReadBytes = 4u << 10;
constexpr size_t kBodyReadBytes = 64u << 10;
// What a client may send ahead of the answer before its connection is no longer read.
constexpr size_t kReadAheadBytes = 64u << 10;
// What a client may still send, unread, after an answer that ends its connection.
constexpr size_t kLingerBytes = 8u << 20;

absl::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

class SessionResponder final : public Responder {
 public:
  explicit SessionResponder(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~SessionResponder() override {
    if (!answered_.exchange(true)) {
      session_->Answer({.status = 500,
                        .headers = {{"Content-Type", "text/plain"}},
                        .body = "no answer was given\n"});
    }
  }

  void Send(Response response) override {
    if (!answered_.exchange(true)) session_->Answer(std::move(response));
  }

  std::shared_ptr<ResponseStream> Stream(
      int status, std::vector<std::pair<std::string, std::string>> headers) override {
    if (!answered_.exchange(true)) return session_->StartStream(status, std::move(headers));
    auto closed = std::make_shared<QueuedStream>(0, true, [] {});
    closed->Close();
    return closed;
  }

  std::shared_ptr<pipe::ByteStream> TakeConnection() override {
    return answered_.exchange(true) ? nullptr : session_->StartRaw();
  }

  // The session answers by itself.
  void Disown() { answered_ = true; }

 private:
  const std::shared_ptr<Session> session_;
  std::atomic<bool> answered_ = false;
};

int StatusOfParseError(const boost::system::error_code& error) {
  if (error == beast::http::error::body_limit) return 413;
  if (error == beast::http::error::header_limit) return 431;
  return 400;
}

}  // namespace

Session::Session(std::shared_ptr<asio::io_context> io, Transport::Socket socket,
                 const SslContext& tls, SessionHost* host)
    : io_(std::move(io)),
      host_(host),
      stream_pending_bytes_max_(host->options().stream_pending_bytes_max),
      transport_(std::move(socket), tls),
      deadline_(*io_) {
  ErrorCode ignored;
  const auto endpoint = transport_.socket().remote_endpoint(ignored);
  remote_ = endpoint.address().is_v6()
                ? absl::StrCat("[", endpoint.address().to_string(), "]:", endpoint.port())
                : absl::StrCat(endpoint.address().to_string(), ":", endpoint.port());
}

void Session::SetDeadline(absl::Duration timeout) {
  deadline_.expires_after(absl::ToChronoNanoseconds(timeout));
  deadline_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error == asio::error::operation_aborted) return;
    // It may have been set anew after this wait had already ended.
    if (self->deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
    if (self->state_ == State::kHandshake) self->host_->Add(SessionHost::Count::kHandshakeFailed);
    if (self->state_ == State::kStreaming) self->host_->Add(SessionHost::Count::kStreamCut);
    if (self->state_ == State::kRaw) return self->RawStalled();
    if (self->state_ == State::kReading && self->request_begun_ && !self->writing_) {
      self->Refuse(408, "the request took too long to arrive");
    } else {
      self->Close();
    }
  });
}

void Session::ClearDeadline() { deadline_.expires_at(asio::steady_timer::time_point::max()); }

void Session::Start() {
  host_->Idle(this);
  SetDeadline(host_->options().header_timeout);
  if (!transport_.is_tls()) {
    NextRequest();
    SetDeadline(host_->options().header_timeout);
    return;
  }
  transport_.AsyncHandshake(Transport::Side::server,
                            [self = shared_from_this()](const ErrorCode& error) {
                              if (self->state_ != State::kHandshake) return;
                              if (error) {
                                self->host_->Add(SessionHost::Count::kHandshakeFailed);
                                self->Close();
                                return;
                              }
                              self->client_ = self->transport_.Client();
                              self->NextRequest();
                              self->SetDeadline(self->host_->options().header_timeout);
                            });
}

void Session::Drain() {
  draining_ = true;
  if (state_ == State::kHandshake || state_ == State::kRaw ||
      (state_ == State::kReading && !request_begun_)) {
    Close();
  }
  if (stream_ != nullptr) stream_->End();
}

void Session::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  closed_ = true;
  deadline_.cancel();
  ErrorCode ignored;
  transport_.socket().close(ignored);
  host_->ReleaseBody(std::exchange(reserved_bytes_, 0));
  host_->ReleaseAnswer(this);
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->Close();
  EndRaw(absl::CancelledError("the connection was closed"));
  host_->Closed(this);
}

void Session::Read() {
  if (reading_ || read_ended_ || state_ == State::kClosed || state_ == State::kHandshake) return;
  const bool body = state_ == State::kReading && headers_done_;
  const bool parses = state_ == State::kReading && !continue_pending_;
  if (!parses && input_.size() >= kReadAheadBytes) return;
  reading_ = true;
  incoming_.resize(body || state_ == State::kLingering || state_ == State::kRaw ? kBodyReadBytes
                                                                                : kIdleReadBytes);
  transport_.AsyncRead(asio::buffer(incoming_),
                       [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                         self->OnRead(error, bytes);
                       });
}

void Session::OnRead(const ErrorCode& error, size_t bytes) {
  reading_ = false;
  if (state_ == State::kClosed) return;
  if (error) {
    OnReadEnded(error == asio::error::eof || error == asio::ssl::error::stream_truncated);
    return;
  }
  input_.commit(asio::buffer_copy(input_.prepare(bytes), asio::buffer(incoming_, bytes)));
  if (state_ == State::kReading && !continue_pending_) {
    Parse();
  } else if (state_ == State::kLingering) {
    input_.clear();
    lingered_bytes_ += bytes;
    if (lingered_bytes_ > kLingerBytes) return Close();
  } else if (state_ == State::kRaw) {
    DeliverRaw();
  }
  Read();
}

// A client that closed its sending side may still wait for an answer, but not for a stream.
void Session::OnReadEnded(bool clean) {
  read_ended_ = true;
  if (state_ == State::kRaw && clean) return DeliverRaw();
  const bool answer_under_way = state_ == State::kHandling || state_ == State::kResponding;
  if (!clean || !answer_under_way) Close();
}

void Session::NextRequest() {
  host_->ReleaseBody(std::exchange(reserved_bytes_, 0));
  state_ = State::kReading;
  host_->Idle(this);
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(host_->options().header_bytes_max));
  parser_->body_limit(host_->options().body_bytes_max);
  header_bytes_ = 0;
  request_begun_ = headers_done_ = head_ = get_ = http_1_0_ = keep_alive_ = false;
  SetDeadline(host_->options().idle_timeout);
  // What was sent ahead; not from here, or a long pipeline would nest.
  if (input_.size() > 0) {
    Post([](Session& self) {
      if (self.state_ == State::kReading && !self.request_begun_) self.Parse();
      self.Read();
    });
    return;
  }
  Read();
}

void Session::Parse() {
  if (!request_begun_ && input_.size() > 0) {
    request_begun_ = true;
    SetDeadline(host_->options().header_timeout);
  }
  while (state_ == State::kReading && !continue_pending_) {
    if (headers_done_ && parser_->is_done()) return Dispatch();
    if (input_.size() == 0) return;
    ErrorCode error;
    const size_t used = parser_->put(input_.data(), error);
    input_.consume(used);
    if (!headers_done_) header_bytes_ += used;
    if (HasTooManyHeaders(error == beast::http::error::need_more))
      return Refuse(431, "the headers are too large");
    if (error == beast::http::error::need_more) {
      if (used == 0) return;
      error = {};
    }
    if (error) return Refuse(StatusOfParseError(error), error.message());
    if (!ReserveRoom()) return Refuse(503, "too many request bodies at once");
    if (!headers_done_ && parser_->is_header_done()) {
      headers_done_ = true;
      if (!OnHeaders()) return;
    }
  }
}

// What Beast's own limit does not count: fields that arrive one by one, the head of a chunk,
// trailers.
bool Session::HasTooManyHeaders(bool needs_more) const {
  const size_t max = host_->options().header_bytes_max;
  return header_bytes_ > max ||
         (needs_more && headers_done_ && input_.size() > std::max(max, kIdleReadBytes));
}

bool Session::OnHeaders() {
  const auto& message = parser_->get();
  http_1_0_ = message.version() < 11;
  head_ = message.method() == beast::http::verb::head;
  get_ = message.method() == beast::http::verb::get;
  keep_alive_ = parser_->keep_alive();
  if (!http_1_0_ && message.count(beast::http::field::host) != 1) {
    Refuse(400, "exactly one Host header is needed");
    return false;
  }
  // Others, and lists of them, would be read by some as something else.
  const auto encoding = message.find(beast::http::field::transfer_encoding);
  if (encoding != message.end() && (http_1_0_ || message.count(encoding->name()) != 1 ||
                                    !absl::EqualsIgnoreCase(View(encoding->value()), "chunked"))) {
    Refuse(501, "only the chunked transfer encoding of HTTP/1.1 is known");
    return false;
  }
  const auto length = parser_->content_length();
  const size_t bytes = length ? static_cast<size_t>(*length) : 0;
  if (!host_->ReserveBody(bytes)) {
    Refuse(503, "too many request bodies at once");
    return false;
  }
  // It takes the room as it comes, or clients that send headers alone would soon have all there is.
  host_->ReleaseBody(bytes);
  TakeHeaders();
  if (bytes > 0 || parser_->chunked()) SetDeadline(host_->options().idle_timeout);
  parser_->eager(true);
  if (!http_1_0_ && !parser_->is_done() &&
      absl::EqualsIgnoreCase(View(message[beast::http::field::expect]), "100-continue")) {
    continue_pending_ = true;
    Write("HTTP/1.1 100 Continue\r\n\r\n");
    return false;
  }
  return true;
}

bool Session::ReserveRoom() {
  const size_t bytes = parser_->get().body().size();
  if (bytes <= reserved_bytes_) return true;
  if (!host_->ReserveBody(bytes - reserved_bytes_)) return false;
  reserved_bytes_ = bytes;
  return true;
}

// Before the body: behind it Beast adds the trailers to them, of which nothing here wants any, and
// which nobody on the way has looked at.
void Session::TakeHeaders() {
  headers_.clear();
  for (const auto& field : parser_->get()) {
    const absl::string_view value = View(field.value());
    const auto [entry, fresh] =
        headers_.emplace(absl::AsciiStrToLower(View(field.name_string())), std::string(value));
    if (!fresh) absl::StrAppend(&entry->second, ", ", value);
  }
}

void Session::Dispatch() {
  auto message = parser_->release();
  parser_.reset();
  absl::StatusOr<RequestTarget> target = ParseRequestTarget(View(message.target()));
  if (!target.ok()) return Refuse(400, target.status().message());
  Request request;
  request.method = std::string(View(message.method_string()));
  request.target = std::string(View(message.target()));
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  request.headers = std::exchange(headers_, {});
  request.body = std::move(message.body());
  request.client = client_;
  request.remote = remote_;

  state_ = State::kHandling;
  host_->Busy(this);
  ClearDeadline();
  auto responder = std::make_shared<SessionResponder>(shared_from_this());
  if (host_->Submit(std::move(request), responder)) {
    host_->Add(SessionHost::Count::kRequest);
    handed_over_ = std::chrono::steady_clock::now();
    return;
  }
  responder->Disown();
  host_->Add(SessionHost::Count::kRequestRefused);
  SendAnswer({.status = 503,
              .headers = {{"Content-Type", "text/plain"}, {"Retry-After", "1"}},
              .body = "too many requests wait\n"});
}

}  // namespace skerry::http
