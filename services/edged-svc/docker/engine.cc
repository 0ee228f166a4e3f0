#include "services/edged-svc/docker/engine.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/docker/engine_network.h"
#include "services/edged-svc/docker/engine_stream.h"
#include "services/edged-svc/docker/inside.h"
#include "services/lib/base/error.h"
#include "services/lib/http/answer_reader.h"

namespace skerry::edged {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;

namespace {

absl::Status Closed() { return absl::CancelledError("the runtime is being closed"); }

absl::Status StatusOfAnswer(int code, absl::string_view body) {
  std::string message = absl::StrCat("Docker answered ", code);
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) {
    const auto text = json.find("message");
    if (text != json.end() && text->is_string()) message = text->get<std::string>();
  }
  const absl::StatusCode status = code == 400   ? absl::StatusCode::kInvalidArgument
                                  : code == 404 ? absl::StatusCode::kNotFound
                                  : code == 409 ? absl::StatusCode::kAborted
                                                : absl::StatusCode::kInternal;
  return Error(status, message).Reason("DOCKER_ERROR");
}

}  // namespace

namespace {

// One request and its answer. All of it is the own thread's.
class Exchange final : public std::enable_shared_from_this<Exchange> {
 public:
  // Null: the body is kept.
  using Take = DockerEngine::Take;
  using Done = absl::AnyInvocable<void(absl::Status)>;

  Exchange(std::shared_ptr<EngineNetwork> network, EngineRequest request)
      : network_(std::move(network)),
        socket_(network_->io()),
        timer_(network_->io()),
        request_(std::move(request)) {}

  // `upgrade`: the connection is to become a stream.
  void Begin(bool upgrade, Take take, Done done) {
    upgrade_ = upgrade;
    take_ = std::move(take);
    done_ = std::move(done);
    network_->Add(this, [weak = weak_from_this()] {
      if (const auto self = weak.lock(); self != nullptr) self->End(Closed());
    });
    Limit(request_.timeout);
    socket_.async_connect(asio::local::stream_protocol::endpoint(network_->socket_path()),
                          [self = shared_from_this()](const ErrorCode& error) {
                            if (error) return self->End(self->Broken(error.message()));
                            self->Send();
                          });
  }

  std::string TakeBody() { return std::move(body_); }
  // Of a stream that was opened.
  asio::local::stream_protocol::socket TakeSocket() { return std::move(socket_); }
  std::string TakeRest() { return answer_.TakeRest(); }

 private:
  using State = http::AnswerReader::State;

  // The body is counted here.
  static constexpr http::AnswerReader::Limits AnswerLimits() {
    return {.body_bytes_max = http::AnswerReader::kBodyUnbounded};
  }

  void Limit(absl::Duration time) {
    timer_.expires_after(absl::ToChronoNanoseconds(time));
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (error) return;
      self->End(Error(absl::StatusCode::kDeadlineExceeded,
                      absl::StrCat("Docker did not answer ", self->request_.method, " ",
                                   self->request_.target.substr(0, 100), " in time"))
                    .Reason("DOCKER_TIMEOUT"));
    });
  }

  absl::Status Broken(absl::string_view why) const {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("Docker at ", network_->socket_path(), ": ", why))
        .Reason("DOCKER_UNREACHABLE");
  }

  void Send() {
    if (!done_) return;
    message_.method_string(request_.method);
    message_.target(absl::StrCat(DockerEngine::kApi, request_.target));
    message_.version(11);
    message_.set(beast::http::field::host, "docker");
    for (const auto& [name, value] : request_.headers) message_.set(name, value);
    if (upgrade_) {
      message_.set(beast::http::field::connection, "Upgrade");
      message_.set(beast::http::field::upgrade, "tcp");
    } else {
      message_.set(beast::http::field::connection, "close");
    }
    if (!request_.body.empty()) message_.set(beast::http::field::content_type, "application/json");
    message_.body() = std::move(request_.body);
    message_.prepare_payload();
    beast::http::async_write(socket_, message_,
                             [self = shared_from_this()](const ErrorCode& error, size_t) {
                               // An answer may be there all the same: one that refuses a request
                               // closes before all was sent.
                               if (error && error != asio::error::broken_pipe)
                                 return self->End(self->Broken(error.message()));
                               self->Read();
                             });
  }

  void Read() {
    if (!done_) return;
    socket_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                              if (!self->done_) return;
                              if (error == asio::error::eof)
                                return self->OnAnswer(self->answer_.End());
                              if (error) return self->End(self->Broken(error.message()));
                              self->OnAnswer(self->answer_.Take({self->piece_, bytes}));
                            });
  }

  void OnAnswer(State state) {
    if (state == State::kHead) {
      if (TakeHead()) return;
      state = answer_.Take("");
    }
    if (!TakePiece(answer_.TakeBody())) return;
    switch (state) {
      case State::kHead:
      case State::kMore:
        return Read();
      case State::kDone:
        return TakeEnd();
      case State::kTooLarge:
        return End(TooLarge(absl::StrCat(AnswerLimits().headers_bytes_max, " bytes of headers")));
      case State::kMalformed:
        return End(Broken(absl::StrCat("its answer: ", answer_.fault())));
    }
  }

  // True: that was all.
  bool TakeHead() {
    code_ = answer_.status();
    if (code_ == 304 || (upgrade_ && (code_ == 101 || code_ == 200))) {
      End(absl::OkStatus());
      return true;
    }
    const bool good = code_ >= 200 && code_ < 300;
    streams_ = good && take_ != nullptr;
    if (streams_ && request_.endless) timer_.cancel();
    return false;
  }

  // False: it has ended.
  bool TakePiece(std::string piece) {
    if (piece.empty()) return true;
    if (streams_) {
      if (take_(piece)) return true;
      End(absl::CancelledError("the reader has enough"));
      return false;
    }
    if (piece.size() <= DockerEngine::kAnswerBytesMax - body_.size()) {
      absl::StrAppend(&body_, piece);
      return true;
    }
    End(TooLarge(absl::StrCat(DockerEngine::kAnswerBytesMax, " bytes")));
    return false;
  }

  absl::Status TooLarge(absl::string_view bound) const {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("Docker's answer to ", request_.target.substr(0, 100),
                              " has more than ", bound))
        .Reason("DOCKER_ANSWER_TOO_LARGE");
  }

  void TakeEnd() {
    if (code_ < 200 || code_ >= 300) return End(StatusOfAnswer(code_, body_));
    End(absl::OkStatus());
  }

  void End(absl::Status status) {
    if (!done_) return;
    timer_.cancel();
    network_->Remove(this);
    const bool keep = upgrade_ && status.ok();
    if (!keep) {
      ErrorCode ignored;
      socket_.close(ignored);
    }
    take_ = nullptr;
    auto done = std::exchange(done_, nullptr);
    done(std::move(status));
  }

  const std::shared_ptr<EngineNetwork> network_;
  asio::local::stream_protocol::socket socket_;
  asio::steady_timer timer_;
  EngineRequest request_;
  beast::http::request<beast::http::string_body> message_;
  http::AnswerReader answer_{AnswerLimits(), false, true};
  char piece_[pipe::ByteStream::kChunkBytesMax];
  std::string body_;
  int code_ = 0;
  bool upgrade_ = false, streams_ = false;
  Take take_;
  Done done_;  // Null once it has ended.
};

}  // namespace

DockerEngine::DockerEngine(std::string socket_path, const char* thread_name)
    : network_(std::make_shared<EngineNetwork>(std::move(socket_path))) {
  network_->Start(thread_name);
}

DockerEngine::~DockerEngine() { network_->Stop(); }

void DockerEngine::EndCalls() { network_->Cut(); }

void DockerEngine::Call(EngineRequest request, Done done) {
  auto exchange = std::make_shared<Exchange>(network_, std::move(request));
  auto call = std::make_shared<Done>(std::move(done));
  const bool posted = network_->Post([exchange, call] {
    exchange->Begin(false, nullptr, [exchange = exchange.get(), call](absl::Status status) {
      if (!status.ok()) return (*call)(std::move(status));
      (*call)(exchange->TakeBody());
    });
  });
  if (!posted) (*call)(Closed());
}

absl::StatusOr<std::string> DockerEngine::Call(EngineRequest request) {
  std::promise<absl::StatusOr<std::string>> answer;
  Call(std::move(request),
       [&](absl::StatusOr<std::string> body) { answer.set_value(std::move(body)); });
  return answer.get_future().get();
}

void DockerEngine::Read(EngineRequest request, Take take,
                        absl::AnyInvocable<void(absl::Status)> done) {
  auto exchange = std::make_shared<Exchange>(network_, std::move(request));
  auto reader = std::make_shared<Take>(std::move(take));
  auto call = std::make_shared<absl::AnyInvocable<void(absl::Status)>>(std::move(done));
  const bool posted = network_->Post(
      [exchange, reader, call] { exchange->Begin(false, std::move(*reader), std::move(*call)); });
  if (!posted) (*call)(Closed());
}

void DockerEngine::Open(EngineRequest request, Opened done) {
  auto exchange = std::make_shared<Exchange>(network_, std::move(request));
  auto call = std::make_shared<Opened>(std::move(done));
  const bool posted = network_->Post([network = network_, exchange, call] {
    exchange->Begin(true, nullptr, [network, exchange = exchange.get(), call](absl::Status status) {
      if (!status.ok()) return (*call)(std::move(status));
      (*call)(MakeEngineStream(network, exchange->TakeSocket(), exchange->TakeRest()));
    });
  });
  if (!posted) (*call)(Closed());
}

void DockerEngine::ConnectInside(absl::string_view id, uint32_t pid, uint16_t port,
                                 absl::Duration timeout, Connected done) {
  auto call = std::make_shared<Connected>(std::move(done));
  const bool posted =
      network_->Post([network = network_, id = std::string(id), pid, port, timeout, call] {
        ConnectInNamespace(network, {id, pid, port}, timeout, std::move(*call));
      });
  if (!posted) (*call)(Closed());
}

void DockerEngine::After(absl::Duration pause, absl::AnyInvocable<void(absl::Status)> done) {
  auto call = std::make_shared<absl::AnyInvocable<void(absl::Status)>>(std::move(done));
  const bool posted = network_->Post([network = network_.get(), pause, call] {
    auto timer = std::make_shared<asio::steady_timer>(network->io());
    timer->expires_after(absl::ToChronoNanoseconds(pause));
    timer->async_wait([network, timer, call](const ErrorCode& error) {
      network->Remove(timer.get());
      (*call)(error ? Closed() : absl::OkStatus());
    });
    network->Add(timer.get(), [timer] { timer->cancel(); });
  });
  if (!posted) (*call)(Closed());
}

std::string EscapeForTarget(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~/:@", c)) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

}  // namespace skerry::edged
