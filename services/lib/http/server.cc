#include "services/lib/http/server.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <optional>
#include <thread>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_name.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/http/http_metrics.h"
#include "services/lib/http/listen_address.h"
#include "services/lib/http/session.h"
#include "services/lib/http/tls_context.h"

namespace skerry::http {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

absl::Status CheckOptions(const ServerOptions& options, const asio::ip::address& address) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return absl::InvalidArgumentError("a TLS certificate and its key are needed together");
  }
  if (options.cert_file.empty() && !address.is_loopback()) {
    return InvalidField("listen", options.listen,
                        "without a TLS certificate only a loopback address may be used")
        .ToStatus();
  }
  if (options.cert_file.empty() && options.client_certificates != ClientCertificates::kNone) {
    return absl::InvalidArgumentError(
        "client certificates need TLS: give a certificate and its key");
  }
  return absl::OkStatus();
}

absl::Status BindError(const std::string& listen, const ErrorCode& error) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("cannot listen on ", listen, ": ", error.message()))
      .Reason("LISTEN_FAILED")
      .Meta("listen", listen);
}

// Peers that vanish without a word (a laptop's lid) must not hold a watch for ever.
void TuneSocket(asio::ip::tcp::socket& socket) {
  ErrorCode ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  using Seconds = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Count = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  socket.set_option(Seconds(30), ignored);
  socket.set_option(Interval(10), ignored);
  socket.set_option(Count(3), ignored);
}

}  // namespace

// Listener, sessions and workers. All but stats and the pool's work runs on the network thread.
class Server::Impl final : public SessionHost {
 public:
  Impl(const ServerOptions& options, Handler handler, std::unique_ptr<ReloadingSslContext> tls)
      : options_(options),
        handler_(std::move(handler)),
        tls_(std::move(tls)),
        metrics_(options.registry == nullptr ? nullptr
                                             : std::make_unique<HttpMetrics>(*options.registry)),
        io_(std::make_shared<asio::io_context>(1)),
        acceptor_(*io_),
        accept_pause_(*io_),
        work_(asio::make_work_guard(*io_)) {}

  absl::Status Bind(const asio::ip::tcp::endpoint& endpoint) {
    ErrorCode error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return BindError(options_.listen, error);
    const auto bound = acceptor_.local_endpoint();
    const std::string host = bound.address().to_string();
    address_ = absl::StrCat(bound.address().is_v6() ? absl::StrCat("[", host, "]") : host, ":",
                            bound.port());
    return absl::OkStatus();
  }

  void Start() {
    pool_ = std::make_unique<exec::ThreadPool>("http-worker", options_.workers, options_.queue_max);
    asio::post(*io_, [this] { Accept(); });
    thread_ = std::thread([this] {
      exec::SetThreadName("http-network");
      io_->run();
    });
  }

  void Shutdown(absl::Time deadline) {
    absl::MutexLock only_one(&shutdown_mutex_);
    if (!thread_.joinable()) return;
    asio::post(*io_, [this] {
      stopping_ = true;
      ErrorCode ignored;
      acceptor_.close(ignored);
      accept_pause_.cancel();
      ForEachSession([](Session& session) { session.Drain(); });
    });
    {
      absl::MutexLock lock(&open_mutex_);
      open_mutex_.AwaitWithDeadline(absl::Condition(this, &Impl::Drained), deadline);
    }
    asio::post(*io_, [this] { ForEachSession([](Session& session) { session.Close(); }); });
    pool_->Stop();
    work_.reset();
    thread_.join();
  }

  const std::string& address() const { return address_; }

  ServerStats stats() const {
    ServerStats stats;
    stats.connections = static_cast<uint64_t>(open_count_.load());
    stats.connections_refused = connections_refused_;
    stats.connections_evicted = connections_evicted_;
    stats.handshakes_failed = counts_[static_cast<size_t>(Count::kHandshakeFailed)];
    stats.requests = counts_[static_cast<size_t>(Count::kRequest)];
    stats.requests_refused = counts_[static_cast<size_t>(Count::kRequestRefused)];
    stats.answers_dropped = counts_[static_cast<size_t>(Count::kAnswerDropped)];
    stats.streams_cut = counts_[static_cast<size_t>(Count::kStreamCut)];
    return stats;
  }

  // SessionHost.
  const ServerOptions& options() const override { return options_; }
  void Idle(Session* session) override {
    Open& open = sessions_.at(session);
    if (open.idle.has_value()) {
      idle_.splice(idle_.end(), idle_, *open.idle);
    } else {
      open.idle = idle_.insert(idle_.end(), session);
    }
  }
  void Busy(Session* session) override { Busy(sessions_.at(session)); }
  bool Submit(Request request, std::shared_ptr<Responder> responder) override {
    return pool_->TrySubmit(
        [this, request = std::move(request), responder = std::move(responder)]() mutable {
          // A handler that throws has let its responder go: the client gets 500.
          try {
            handler_(std::move(request), std::move(responder));
          } catch (const std::exception& error) {
            Report(absl::InternalError(absl::StrCat("a request handler threw: ", error.what())));
          }
        });
  }
  bool ReserveBody(size_t bytes) override {
    if (bytes > options_.bodies_bytes_max - bodies_bytes_) return false;
    bodies_bytes_ += bytes;
    return true;
  }
  void ReleaseBody(size_t bytes) override { bodies_bytes_ -= bytes; }
  bool ReserveAnswer(Session* session, size_t bytes) override {
    while (answers_bytes_ > 0 && answers_bytes_ + bytes > options_.answers_bytes_max) {
      if (!CutSlowAnswer()) return false;
    }
    answers_bytes_ += bytes;
    sessions_.at(session).answer =
        answers_.insert(answers_.end(), {session, bytes, std::chrono::steady_clock::now()});
    return true;
  }
  void ReleaseAnswer(Session* session) override {
    std::optional<std::list<Answer>::iterator>& answer = sessions_.at(session).answer;
    if (!answer.has_value()) return;
    answers_bytes_ -= (*answer)->bytes;
    answers_.erase(*std::exchange(answer, std::nullopt));
  }
  void Add(Count count) override {
    ++counts_[static_cast<size_t>(count)];
    if (metrics_ == nullptr) return;
    switch (count) {
      case Count::kHandshakeFailed:
        return metrics_->handshakes_failed.Increment();
      case Count::kRequest:
        return metrics_->requests.Increment();
      case Count::kRequestRefused:
        return metrics_->requests_refused.Increment();
      case Count::kAnswerDropped:
        return metrics_->answers_dropped.Increment();
      case Count::kStreamCut:
        return metrics_->streams_cut.Increment();
    }
  }
  void Answered(int status, std::optional<absl::Duration> took) override {
    if (metrics_ == nullptr) return;
    metrics_->Answered(status);
    if (took.has_value()) metrics_->request_seconds.Observe(absl::ToDoubleSeconds(*took));
  }
  void Closed(Session* session) override {
    // Its caller may still be inside it.
    const auto found = sessions_.find(session);
    if (found != sessions_.end()) {
      Busy(found->second);
      asio::post(*io_, [kept = std::move(found->second.session)] {});
      sessions_.erase(found);
    }
    CountOpen();
  }

 private:
  struct Answer {
    Session* session;
    size_t bytes;
    std::chrono::steady_clock::time_point begin;
  };
  struct Open {
    std::shared_ptr<Session> session;
    std::optional<std::list<Session*>::iterator> idle;  // In idle_.
    std::optional<std::list<Answer>::iterator> answer;  // In answers_.
  };

  void Busy(Open& open) {
    if (open.idle.has_value()) idle_.erase(*std::exchange(open.idle, std::nullopt));
  }

  bool Drained() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(open_mutex_) { return drained_; }

  void CountOpen() {
    open_count_ = sessions_.size();
    if (metrics_ != nullptr) metrics_->connections.Set(static_cast<double>(sessions_.size()));
    absl::MutexLock lock(&open_mutex_);
    drained_ = stopping_ && sessions_.empty();
  }

  template <typename Function>
  void ForEachSession(Function function) {
    std::vector<std::shared_ptr<Session>> sessions;
    for (const auto& [pointer, open] : sessions_) sessions.push_back(open.session);
    for (const std::shared_ptr<Session>& session : sessions) function(*session);
    CountOpen();
  }

  void Report(const absl::Status& status) const {
    if (options_.on_background_error) options_.on_background_error(status);
  }

  void Accept() {
    if (stopping_) return;
    acceptor_.async_accept([this](const ErrorCode& error, asio::ip::tcp::socket socket) {
      if (stopping_) return;
      if (error) return OnAcceptError(error);
      if (sessions_.size() >= options_.connections_max) Evict();
      if (sessions_.size() >= options_.connections_max) {
        ++connections_refused_;
        if (metrics_ != nullptr) metrics_->connections_refused.Increment();
      } else {
        Serve(std::move(socket));
      }
      Accept();
    });
  }

  // Out of descriptors, mostly: the connection stays in the backlog, so asking again at once would
  // spin.
  void OnAcceptError(const ErrorCode& error) {
    if (error != asio::error::connection_aborted) {
      Report(absl::UnavailableError(absl::StrCat("cannot accept a connection: ", error.message())));
    }
    accept_pause_.expires_after(absl::ToChronoNanoseconds(kAcceptPause));
    accept_pause_.async_wait([this](const ErrorCode&) { Accept(); });
  }

  // Else a few silent clients would keep out everybody for as long as they are let be.
  void Evict() {
    if (idle_.empty()) return;
    ++connections_evicted_;
    if (metrics_ != nullptr) metrics_->connections_evicted.Increment();
    const std::shared_ptr<Session> longest = sessions_.at(idle_.front()).session;
    longest->Close();
  }

  // Else a few clients that read just enough to be let be would keep answers from everybody. False:
  // there is none that takes that long.
  bool CutSlowAnswer() {
    const Answer& longest = answers_.front();
    if (std::chrono::steady_clock::now() - longest.begin <
        absl::ToChronoNanoseconds(options_.write_timeout)) {
      return false;
    }
    Add(Count::kAnswerDropped);
    const std::shared_ptr<Session> session = sessions_.at(longest.session).session;
    session->Close();
    return true;
  }

  void Serve(asio::ip::tcp::socket socket) {
    TuneSocket(socket);
    auto session = std::make_shared<Session>(
        io_, std::move(socket), tls_ == nullptr ? SslContext() : tls_->Current(), this);
    sessions_.emplace(session.get(), Open{.session = session});
    CountOpen();
    session->Start();
  }

  const ServerOptions options_;
  const Handler handler_;
  const std::unique_ptr<ReloadingSslContext> tls_;
  const std::unique_ptr<HttpMetrics> metrics_;
  const std::shared_ptr<asio::io_context> io_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::string address_;
  std::unordered_map<Session*, Open> sessions_;
  std::list<Session*> idle_;  // Without a whole request, the longest first.
  size_t bodies_bytes_ = 0;
  std::list<Answer> answers_;  // That have room, the longest under way first.
  size_t answers_bytes_ = 0;   // Of them.
  bool stopping_ = false;
  std::atomic<uint64_t> open_count_ = 0;
  std::atomic<uint64_t> connections_refused_ = 0;
  std::atomic<uint64_t> connections_evicted_ = 0;
  std::array<std::atomic<uint64_t>, 5> counts_{};
  absl::Mutex open_mutex_;
  bool drained_ ABSL_GUARDED_BY(open_mutex_) = false;
  absl::Mutex shutdown_mutex_;
  std::unique_ptr<exec::ThreadPool> pool_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Create(const ServerOptions& options,
                                                       Handler handler) {
  SKERRY_ASSIGN_OR_RETURN(const ListenAddress listen, ParseListenAddress(options.listen));
  ErrorCode error;
  const asio::ip::address address = asio::ip::make_address(listen.host, error);
  if (error)
    return InvalidField("listen", options.listen, "the host must be an IP address or localhost")
        .ToStatus();
  SKERRY_RETURN_IF_ERROR(CheckOptions(options, address));
  std::unique_ptr<ReloadingSslContext> tls;
  if (!options.cert_file.empty()) {
    SKERRY_ASSIGN_OR_RETURN(tls, ReloadingSslContext::Create(options));
  }
  auto impl = std::make_unique<Impl>(options, std::move(handler), std::move(tls));
  SKERRY_RETURN_IF_ERROR(impl->Bind({address, listen.port}));
  impl->Start();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { Shutdown(absl::InfinitePast()); }

std::string Server::address() const { return impl_->address(); }

void Server::Shutdown(absl::Time deadline) { impl_->Shutdown(deadline); }

ServerStats Server::stats() const { return impl_->stats(); }

}  // namespace skerry::http
