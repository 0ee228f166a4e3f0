#include "services/edged-svc/adapters/network_probe.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/adapters/name_lookups.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"
#include "services/lib/http/answer_reader.h"

namespace skerry::edged {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

using Done = NetworkProbes::Done;

constexpr http::AnswerReader::Limits kLimits = {
    .body_bytes_max = http::AnswerReader::kBodyUnbounded, .headers_bytes_max = 64 << 10};
constexpr size_t kBodyBytesMax = 10 << 10;                     // More is not waited for.
constexpr int kRequestsMax = 10;                               // With those after redirects.
constexpr absl::Duration kTimeoutMax = absl::Hours(24 * 365);  // A timer can't hold infinity.

absl::Status No(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message).Reason("PROBE_FAILED");
}

// As Go says it.
std::string Why(const error_code& error) {
  if (error == asio::error::connection_refused) return "connection refused";
  if (error == asio::error::connection_reset) return "connection reset by peer";
  if (error == asio::error::eof) return "EOF";
  return error.message();
}

}  // namespace

struct ProbeEngine {
  explicit ProbeEngine(size_t max) : in_flight_max(max) {}

  // Null: no memory for it.
  asio::ssl::context* Tls();

  const std::shared_ptr<asio::io_context> io = std::make_shared<asio::io_context>(1);
  asio::executor_work_guard<asio::io_context::executor_type> work{io->get_executor()};
  const std::shared_ptr<NameLookups> lookups = std::make_shared<NameLookups>(io);
  std::optional<asio::ssl::context> tls;  // Made when first needed.
  std::set<std::shared_ptr<ProbeAttempt>> attempts;
  const size_t in_flight_max;
  std::atomic<size_t> in_flight = 0;
  std::thread thread;
};

// One TCP connect, or what follows it. Everything happens on the engine's thread.
class ProbeAttempt : public std::enable_shared_from_this<ProbeAttempt> {
 public:
  ProbeAttempt(ProbeEngine& engine, HttpTarget target, absl::Duration timeout, Done done)
      : engine_(engine),
        target_(std::move(target)),
        socket_(*engine.io),
        timer_(*engine.io),
        timeout_(std::min(timeout, kTimeoutMax)),
        done_(std::move(done)) {}
  virtual ~ProbeAttempt() = default;

  void Begin();
  // Only the first time counts.
  void Finish(absl::Status status);

 protected:
  // To target_.
  void Connect();
  virtual void Connected() { Finish(absl::OkStatus()); }
  virtual absl::Status Failed(absl::string_view why) const { return No(why); }
  bool finished() const { return done_ == nullptr; }

  ProbeEngine& engine_;
  HttpTarget target_;
  tcp::socket socket_;

 private:
  std::string Dial(absl::string_view why) const {
    return absl::StrCat("dial tcp ", target_.Authority(), ": ", why);
  }

  asio::steady_timer timer_;
  const absl::Duration timeout_;
  bool connected_ = false;
  Done done_;  // Null once it was called.
};

asio::ssl::context* ProbeEngine::Tls() {
  try {
    if (!tls.has_value()) tls.emplace(asio::ssl::context::tls_client);
  } catch (const boost::system::system_error&) {
    return nullptr;
  }
  return &*tls;
}

void ProbeAttempt::Begin() {
  engine_.attempts.insert(shared_from_this());
  timer_.expires_after(absl::ToChronoNanoseconds(timeout_));
  timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error) return;
    self->Finish(
        self->Failed(self->connected_ ? "context deadline exceeded" : self->Dial("i/o timeout")));
  });
  Connect();
}

void ProbeAttempt::Finish(absl::Status status) {
  if (finished()) return;
  Done done = std::move(done_);
  done_ = nullptr;
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  --engine_.in_flight;
  engine_.attempts.erase(shared_from_this());
  done(std::move(status));
}

void ProbeAttempt::Connect() {
  connected_ = false;
  engine_.lookups->Find(target_.host, [weak = weak_from_this()](
                                          const std::vector<asio::ip::address>& addresses) {
    const auto self = weak.lock();
    if (self == nullptr || self->finished()) return;
    if (addresses.empty()) {
      return self->Finish(
          self->Failed(absl::StrCat("dial tcp: lookup ", self->target_.host, ": no such host")));
    }
    std::vector<tcp::endpoint> endpoints;
    for (const asio::ip::address& address : addresses)
      endpoints.emplace_back(address, static_cast<uint16_t>(self->target_.port));
    asio::async_connect(
        self->socket_, endpoints, [self](const error_code& error, const tcp::endpoint&) {
          if (self->finished()) return;
          if (error)
            return self->Finish(self->Failed(self->Dial(absl::StrCat("connect: ", Why(error)))));
          self->connected_ = true;
          self->Connected();
        });
  });
}

namespace {

class HttpAttempt final : public ProbeAttempt {
 public:
  HttpAttempt(ProbeEngine& engine, HttpGet get, absl::Duration timeout, Done done)
      : ProbeAttempt(engine, get.target, timeout, std::move(done)),
        get_(std::move(get)),
        host_(get_.target.Authority()) {
    for (const auto& [name, value] : get_.headers)
      if (absl::EqualsIgnoreCase(name, "Host") && !value.empty()) host_ = value;
  }

 private:
  using State = http::AnswerReader::State;

  void Connected() override;
  absl::Status Failed(absl::string_view why) const override {
    const std::string message = absl::StrCat("Get \"", target_.Url(), "\": ", why);
    return body_ ? absl::UnavailableError(message) : No(message);
  }
  std::shared_ptr<HttpAttempt> Self() {
    return std::static_pointer_cast<HttpAttempt>(shared_from_this());
  }
  // With the stream that is in use.
  template <typename Use>
  void With(Use use) {
    if (tls_.has_value()) {
      use(*tls_);
    } else {
      use(socket_);
    }
  }
  void MakeRequest();
  void Send();
  void Read();
  void OnAnswer(State state);
  bool HeaderRead();
  bool Redirected();
  void Judge();

  const HttpGet get_;
  std::string host_;  // What the Host header says.
  int requests_ = 0;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  std::string request_;
  std::array<char, 4096> piece_;
  std::optional<http::AnswerReader> answer_;
  size_t body_bytes_ = 0;
  bool body_ = false;  // The header has come: from here on a failure says nothing.
};

void HttpAttempt::Connected() {
  if (!target_.tls) return Send();
  asio::ssl::context* context = engine_.Tls();
  if (context == nullptr) return Finish(absl::UnavailableError("no memory for TLS"));
  tls_.emplace(socket_, *context);  // Verifies nothing unless told to.
  error_code not_an_address;
  asio::ip::make_address(target_.host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(tls_->native_handle(), target_.host.c_str());
  tls_->async_handshake(asio::ssl::stream_base::client, [self = Self()](const error_code& error) {
    if (self->finished()) return;
    if (error) return self->Finish(self->Failed(absl::StrCat("TLS handshake: ", Why(error))));
    self->Send();
  });
}

void HttpAttempt::MakeRequest() {
  request_ = absl::StrCat("GET ", target_.path, " HTTP/1.1\r\nHost: ", host_, "\r\n");
  bool has_agent = false, has_accept = false;
  for (const auto& [name, value] : get_.headers) {
    const bool accept = absl::EqualsIgnoreCase(name, "Accept");
    has_accept = has_accept || accept;
    has_agent = has_agent || absl::EqualsIgnoreCase(name, "User-Agent");
    // An empty Accept is how a user asks for none.
    if (!absl::EqualsIgnoreCase(name, "Host") && !(accept && value.empty()))
      absl::StrAppend(&request_, name, ": ", value, "\r\n");
  }
  if (!has_agent) absl::StrAppend(&request_, "User-Agent: ", get_.user_agent, "\r\n");
  if (!has_accept) request_ += "Accept: */*\r\n";
  request_ += "Connection: close\r\n\r\n";
}

void HttpAttempt::Send() {
  ++requests_;
  MakeRequest();
  With([this](auto& stream) {
    asio::async_write(stream, asio::buffer(request_),
                      [self = Self()](const error_code& error, size_t) {
                        if (self->finished()) return;
                        if (error) return self->Finish(self->Failed(Why(error)));
                        self->answer_.emplace(kLimits, false, true);
                        self->Read();
                      });
  });
}

void HttpAttempt::Read() {
  With([this](auto& stream) {
    stream.async_read_some(asio::buffer(piece_),
                           [self = Self()](const error_code& error, size_t bytes) {
                             if (self->finished()) return;
                             if (error == asio::error::eof && !self->answer_->untouched())
                               return self->OnAnswer(self->answer_->End());
                             if (error) return self->Finish(self->Failed(Why(error)));
                             self->OnAnswer(self->answer_->Take({self->piece_.data(), bytes}));
                           });
  });
}

void HttpAttempt::OnAnswer(State state) {
  if (state == State::kHead) {
    if (HeaderRead()) return;
    state = answer_->Take("");
  }
  body_bytes_ += answer_->TakeBody().size();
  if (body_bytes_ >= kBodyBytesMax) return Judge();
  switch (state) {
    case State::kHead:
    case State::kMore:
      return Read();
    case State::kDone:
      return Judge();
    case State::kTooLarge:
      return Finish(Failed("the headers of the answer are too large"));
    case State::kMalformed:
      return Finish(Failed(absl::StrCat("malformed HTTP response: ", answer_->fault())));
  }
}

// True: its body is not wanted.
bool HttpAttempt::HeaderRead() {
  if (Redirected()) return true;
  if (get_.any_status) {
    Finish(absl::OkStatus());
    return true;
  }
  body_ = true;
  return false;
}

bool HttpAttempt::Redirected() {
  const int status = answer_->status();
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
    return false;
  const std::string location = answer_->Header("location");
  if (location.empty()) return false;
  const std::optional<HttpTarget> next = FollowLocation(target_, location);
  if (!next.has_value()) {
    Finish(Failed("redirected to what is no HTTP URL"));
    return true;
  }
  if (next->host != get_.target.host) return false;
  if (requests_ >= kRequestsMax) {
    Finish(Failed(absl::StrCat("stopped after ", kRequestsMax, " redirects")));
    return true;
  }
  if (next->Authority() != target_.Authority()) host_ = next->Authority();
  tls_.reset();
  error_code ignored;
  socket_.close(ignored);
  target_ = *next;
  Connect();
  return true;
}

void HttpAttempt::Judge() {
  const int status = answer_->status();
  Finish(status >= 200 && status < 400
             ? absl::OkStatus()
             : No(absl::StrCat("HTTP probe failed with statuscode: ", status)));
}

}  // namespace

NetworkProbes::NetworkProbes(size_t in_flight_max)
    : engine_(std::make_unique<ProbeEngine>(in_flight_max)) {
  engine_->thread = std::thread([this] {
    exec::SetThreadName("probes");
    engine_->io->run();
  });
}

NetworkProbes::~NetworkProbes() {
  asio::post(*engine_->io, [this] {
    while (!engine_->attempts.empty())
      (*engine_->attempts.begin())->Finish(absl::CancelledError("edged stops"));
    engine_->work.reset();
  });
  engine_->thread.join();
}

void NetworkProbes::Begin(std::shared_ptr<ProbeAttempt> attempt) {
  const bool full = engine_->in_flight++ >= engine_->in_flight_max;
  asio::post(*engine_->io, [attempt = std::move(attempt), full] {
    full ? attempt->Finish(absl::UnavailableError("too many probes at a time")) : attempt->Begin();
  });
}

void NetworkProbes::Tcp(const std::string& host, int32_t port, absl::Duration timeout, Done done) {
  Begin(std::make_shared<ProbeAttempt>(*engine_, HttpTarget{false, host, port}, timeout,
                                       std::move(done)));
}

void NetworkProbes::Http(HttpGet get, absl::Duration timeout, Done done) {
  Begin(std::make_shared<HttpAttempt>(*engine_, std::move(get), timeout, std::move(done)));
}

}  // namespace skerry::edged
