#include "services/lib/pipe/connector.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::pipe {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;

namespace internal {

class TcpStream;

// Kept by every stream, so that one that outlives the connector can still answer.
struct Network {
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  std::map<TcpStream*, std::weak_ptr<TcpStream>> streams;  // Of the network thread.
  absl::Mutex mutex;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  std::thread thread;

  // False after the connector's end: `function` will not run.
  template <typename Function>
  bool Post(Function function) {
    absl::MutexLock lock(&mutex);
    if (stopped) return false;
    asio::post(io, std::move(function));
    return true;
  }
};

// A connection, from its first attempt on. Its state is the network thread's.
class TcpStream final : public ByteStream, public std::enable_shared_from_this<TcpStream> {
 public:
  TcpStream(std::shared_ptr<Network> network, std::string peer, std::unique_ptr<ssl::context> tls)
      : network_(std::move(network)),
        peer_(std::move(peer)),
        tls_context_(std::move(tls)),
        socket_(network_->io),
        resolver_(network_->io),
        timer_(network_->io) {
    if (tls_context_ != nullptr) tls_.emplace(socket_, *tls_context_);
  }

  // ---- ByteStream.

  void Read(ReadDone done) override {
    auto call = std::make_shared<ReadDone>(std::move(done));
    if (!network_->Post([self = shared_from_this(), call] { self->DoRead(call); }))
      (*call)(Ended());
  }

  void Write(std::string bytes, WriteDone done) override {
    auto call = std::make_shared<WriteDone>(std::move(done));
    if (!network_->Post([self = shared_from_this(), call, bytes = std::move(bytes)]() mutable {
          self->DoWrite(std::move(bytes), call);
        }))
      (*call)(Ended());
  }

  void Close(absl::Status) override {
    (void)network_->Post([self = shared_from_this()] { self->DoClose(); });
  }

  // ---- On the network thread.

  void Open(const std::string& host, uint16_t port, const std::string& server_name, bool verify,
            absl::Duration timeout, Connector::Done done) {
    done_ = std::move(done);
    network_->streams[this] = weak_from_this();
    if (tls_.has_value()) {
      SSL_set_tlsext_host_name(tls_->native_handle(), server_name.c_str());
      if (verify) tls_->set_verify_callback(ssl::host_name_verification(server_name));
    }
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error) self->Fail("i/o timeout");
    });
    resolver_.async_resolve(host, std::to_string(port),
                            [self = shared_from_this()](const ErrorCode& error,
                                                        const Tcp::resolver::results_type& found) {
                              if (error) return self->Fail(error.message());
                              self->ConnectTo(found);
                            });
  }

  void DoClose() {
    if (std::exchange(closed_, true)) return;
    network_->streams.erase(this);
    ErrorCode ignored;
    timer_.cancel();
    resolver_.cancel();
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    socket_.close(ignored);
    if (done_) std::exchange(done_, nullptr)(Ended());
  }

 private:
  absl::Status Ended() const { return absl::CancelledError("the connection was closed"); }

  void ConnectTo(const Tcp::resolver::results_type& found) {
    if (closed_) return;
    asio::async_connect(socket_, found,
                        [self = shared_from_this()](const ErrorCode& error, const Tcp::endpoint&) {
                          if (error) return self->Fail(error.message());
                          ErrorCode ignored;
                          self->socket_.set_option(Tcp::no_delay(true), ignored);
                          self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
                          self->Handshake();
                        });
  }

  void Handshake() {
    if (closed_) return;
    if (!tls_.has_value()) return Opened();
    tls_->async_handshake(ssl::stream_base::client,
                          [self = shared_from_this()](const ErrorCode& error) {
                            if (error) return self->Fail(absl::StrCat("tls: ", error.message()));
                            self->Opened();
                          });
  }

  void Opened() {
    if (closed_ || !done_) return;
    timer_.cancel();
    std::exchange(done_, nullptr)(std::static_pointer_cast<ByteStream>(shared_from_this()));
  }

  void Fail(absl::string_view why) {
    if (!done_) return;
    auto done = std::exchange(done_, nullptr);
    DoClose();
    done(Error(absl::StatusCode::kUnavailable, absl::StrCat("dial tcp ", peer_, ": ", why))
             .Reason("PEER_UNREACHABLE")
             .ToStatus());
  }

  void DoRead(const std::shared_ptr<ReadDone>& call) {
    if (closed_) return (*call)(Ended());
    input_.resize(kChunkBytesMax);
    auto handler = [self = shared_from_this(), call](const ErrorCode& error, size_t bytes) {
      if (self->closed_) return (*call)(self->Ended());
      // TLS peers often leave without a word; what they say frames itself.
      if (error == asio::error::eof || error == ssl::error::stream_truncated)
        return (*call)(std::string());
      if (error) return (*call)(absl::UnavailableError(error.message()));
      (*call)(self->input_.substr(0, bytes));
    };
    const auto buffer = asio::buffer(input_.data(), input_.size());
    if (tls_.has_value()) {
      tls_->async_read_some(buffer, std::move(handler));
    } else {
      socket_.async_read_some(buffer, std::move(handler));
    }
  }

  void DoWrite(std::string bytes, const std::shared_ptr<WriteDone>& call) {
    if (closed_) return (*call)(Ended());
    output_ = std::move(bytes);
    auto handler = [self = shared_from_this(), call](const ErrorCode& error, size_t) {
      if (self->closed_) return (*call)(self->Ended());
      (*call)(error ? absl::UnavailableError(error.message()) : absl::OkStatus());
    };
    if (tls_.has_value()) {
      asio::async_write(*tls_, asio::buffer(output_), std::move(handler));
    } else {
      asio::async_write(socket_, asio::buffer(output_), std::move(handler));
    }
  }

  const std::shared_ptr<Network> network_;
  const std::string peer_;
  const std::unique_ptr<ssl::context> tls_context_;
  Tcp::socket socket_;
  std::optional<ssl::stream<Tcp::socket&>> tls_;
  Tcp::resolver resolver_;
  asio::steady_timer timer_;
  Connector::Done done_;  // Null once the attempt is over.
  bool closed_ = false;
  std::string input_, output_;
};

}  // namespace internal

namespace {

struct Timer {
  explicit Timer(std::shared_ptr<internal::Network> its_network)
      : network(std::move(its_network)), timer(network->io) {}
  const std::shared_ptr<internal::Network> network;
  asio::steady_timer timer;
};

absl::StatusOr<std::unique_ptr<ssl::context>> MakeContext(const TlsClient& tls) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  ErrorCode error;
  context->set_options(
      ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  const auto failed = [&](const std::string& file) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("cannot use ", file, ": ", error.message()))
        .Reason("TLS_FILE_UNUSABLE")
        .ToStatus();
  };
  if (!tls.cert.empty()) {
    context->use_certificate_chain_file(tls.cert, error);
    if (error) return failed(tls.cert);
    context->use_private_key_file(tls.key, ssl::context::pem, error);
    if (error) return failed(tls.key);
  }
  if (tls.ca.empty()) {
    context->set_verify_mode(ssl::verify_none, error);
    return context;
  }
  context->load_verify_file(tls.ca, error);
  if (error) return failed(tls.ca);
  context->set_verify_mode(ssl::verify_peer, error);
  return context;
}

}  // namespace

Connector::Connector() : network_(std::make_shared<internal::Network>()) {
  network_->thread = std::thread([network = network_.get()] {
    exec::SetThreadName("connector");
    network->io.run();
  });
}

Connector::~Connector() {
  // What was posted before this runs before it.
  (void)network_->Post([network = network_] {
    const auto streams = network->streams;
    for (const auto& [stream, weak] : streams) {
      if (const auto kept = weak.lock(); kept != nullptr) kept->DoClose();
    }
  });
  {
    absl::MutexLock lock(&network_->mutex);
    network_->stopped = true;
  }
  network_->work.reset();
  network_->thread.join();
}

void Connector::Connect(const Target& target, absl::Duration timeout, Done done) {
  const std::string peer = absl::StrCat(target.host, ":", target.port);
  std::unique_ptr<ssl::context> context;
  std::string server_name = target.host;
  bool verify = false;
  if (target.tls != nullptr) {
    absl::StatusOr<std::unique_ptr<ssl::context>> made = MakeContext(*target.tls);
    if (!made.ok()) return done(made.status());
    context = *std::move(made);
    verify = !target.tls->ca.empty();
    if (!target.tls->server_name.empty()) server_name = target.tls->server_name;
  }
  auto stream = std::make_shared<internal::TcpStream>(network_, peer, std::move(context));
  auto call = std::make_shared<Done>(std::move(done));
  const bool posted = network_->Post(
      [stream, host = target.host, port = target.port, server_name, verify, timeout, call] {
        stream->Open(host, port, server_name, verify, timeout, std::move(*call));
      });
  if (!posted) (*call)(absl::CancelledError("the connector has ended"));
}

std::shared_ptr<void> Connector::After(absl::Duration delay, absl::AnyInvocable<void()> function) {
  auto timer = std::make_shared<Timer>(network_);
  timer->timer.expires_after(absl::ToChronoNanoseconds(delay));
  // Weak: what is dropped may have run out already, its handler waiting for its turn.
  timer->timer.async_wait(
      [weak = std::weak_ptr<Timer>(timer), function = std::make_shared<absl::AnyInvocable<void()>>(
                                               std::move(function))](const ErrorCode& error) {
        if (!error && weak.lock() != nullptr) (*function)();
      });
  return timer;
}

}  // namespace skerry::pipe
