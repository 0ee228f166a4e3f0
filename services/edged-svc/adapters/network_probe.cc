#include "services/edged-svc/adapters/network_probe.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr size_t kAnswerBytesMax = 10 << 10;

absl::Status No(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message).Reason("PROBE_FAILED");
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// False: the deadline has passed.
bool AwaitReady(int fd, short events, absl::Time deadline) {
  while (true) {
    const int64_t left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return false;
    struct pollfd wait = {fd, events, 0};
    const int n = poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

absl::StatusOr<Socket> Connect(const std::string& host, int32_t port, absl::Time deadline) {
  struct addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  struct addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    return No(absl::StrCat("dial tcp: lookup ", host, ": no such host"));
  const std::unique_ptr<struct addrinfo, void (*)(struct addrinfo*)> owner(found, freeaddrinfo);
  std::string last;
  for (const struct addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Socket socket(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.fd() < 0) continue;
    if (connect(socket.fd(), a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last = absl::ErrnoToStatus(errno, "connect").ToString();
      continue;
    }
    if (!AwaitReady(socket.fd(), POLLOUT, deadline))
      return No(absl::StrCat("dial tcp ", host, ":", port, ": i/o timeout"));
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) return socket;
    last = error == ECONNREFUSED ? "connect: connection refused"
                                 : absl::ErrnoToStatus(error, "connect").ToString();
  }
  return No(absl::StrCat("dial tcp ", host, ":", port, ": ", last));
}

// A connection with or without TLS; every wait ends at the deadline.
class Connection {
 public:
  Connection(Socket socket, absl::Time deadline)
      : socket_(std::move(socket)), deadline_(deadline) {}

  absl::Status StartTls() {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (context_ == nullptr) return absl::InternalError("no TLS context");
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_.fd());
    while (true) {
      const int n = SSL_connect(tls_.get());
      if (n == 1) return absl::OkStatus();
      if (!AwaitTls(n)) return No("TLS handshake failed");
    }
  }

  bool WriteAll(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = tls_ != nullptr
                            ? SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                            : send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
      } else if (tls_ != nullptr ? !AwaitTls(static_cast<int>(n))
                                 : !((errno == EAGAIN || errno == EINTR) &&
                                     AwaitReady(socket_.fd(), POLLOUT, deadline_))) {
        return false;
      }
    }
    return true;
  }

  // Up to the bound or the end; false: broken before anything came.
  bool Read(std::string& out) {
    char buffer[2048];
    while (out.size() < kAnswerBytesMax) {
      const ssize_t n = tls_ != nullptr ? SSL_read(tls_.get(), buffer, sizeof(buffer))
                                        : recv(socket_.fd(), buffer, sizeof(buffer), 0);
      if (n > 0) {
        out.append(buffer, static_cast<size_t>(n));
        if (absl::StrContains(out, "\r\n")) return true;  // The status line is all that counts.
      } else if (n == 0 && tls_ == nullptr) {
        return !out.empty();
      } else if (tls_ != nullptr ? !AwaitTls(static_cast<int>(n))
                                 : !((errno == EAGAIN || errno == EINTR) &&
                                     AwaitReady(socket_.fd(), POLLIN, deadline_))) {
        return !out.empty();
      }
    }
    return true;
  }

 private:
  bool AwaitTls(int result) {
    const int error = SSL_get_error(tls_.get(), result);
    if (error == SSL_ERROR_WANT_READ) return AwaitReady(socket_.fd(), POLLIN, deadline_);
    if (error == SSL_ERROR_WANT_WRITE) return AwaitReady(socket_.fd(), POLLOUT, deadline_);
    return false;
  }

  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* tls) const { SSL_free(tls); }
  };

  const Socket socket_;
  const absl::Time deadline_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
};

}  // namespace

absl::Status ProbeTcp(const std::string& host, int32_t port, absl::Duration timeout) {
  return Connect(host, port, absl::Now() + timeout).status();
}

absl::Status ProbeHttp(const std::string& host, const Handler& handler, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  SKERRY_ASSIGN_OR_RETURN(Socket socket, Connect(host, handler.port, deadline));
  Connection connection(std::move(socket), deadline);
  if (handler.scheme == "HTTPS") SKERRY_RETURN_IF_ERROR(connection.StartTls());
  bool has_host = false, has_agent = false;
  std::string headers;
  for (const auto& [name, value] : handler.headers) {
    has_host = has_host || absl::EqualsIgnoreCase(name, "Host");
    has_agent = has_agent || absl::EqualsIgnoreCase(name, "User-Agent");
    absl::StrAppend(&headers, name, ": ", value, "\r\n");
  }
  const std::string request = absl::StrCat(
      "GET ", absl::StartsWith(handler.path, "/") ? "" : "/", handler.path, " HTTP/1.1\r\n",
      has_host ? "" : absl::StrCat("Host: ", host, ":", handler.port, "\r\n"),
      has_agent ? "" : "User-Agent: kube-probe/1.32\r\n", "Accept: */*\r\nConnection: close\r\n",
      headers, "\r\n");
  std::string answer;
  if (!connection.WriteAll(request) || !connection.Read(answer)) {
    return No(absl::StrCat("Get \"", absl::AsciiStrToLower(handler.scheme), "://", host, ":",
                           handler.port, handler.path,
                           "\": ", absl::Now() >= deadline ? "context deadline exceeded" : "EOF"));
  }
  absl::string_view line = answer;
  int code = 0;
  if (!absl::ConsumePrefix(&line, "HTTP/1.") || line.size() < 5 ||
      !absl::SimpleAtoi(line.substr(2, 3), &code))
    return No("malformed HTTP response");
  if (code >= 200 && code < 400) return absl::OkStatus();
  return No(absl::StrCat("HTTP probe failed with statuscode: ", code));
}

}  // namespace skerry::edged
