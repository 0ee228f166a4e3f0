#include "services/lib/metrics/ops_server.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::metrics {
namespace {

// CivetWeb, which prometheus-cpp brings, takes three threads and two seconds to stop; these three
// pages need neither. One thread, a bounded number of bounded connections, one answer each.
constexpr size_t kConnectionsMax = 32;
constexpr size_t kRequestMax = 8192;
constexpr absl::Duration kConnectionTime = absl::Seconds(5);
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kTextType[] = "text/plain; charset=utf-8";

struct Connection {
  enum class State { kReading, kWriting, kClosing };

  int fd = -1;
  State state = State::kReading;
  std::string in;
  std::string out;
  size_t written = 0;
  absl::Duration deadline;
};

std::string Answer(absl::string_view status, absl::string_view type, absl::string_view body,
                   bool head = false) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Type: ", type,
                      "\r\nContent-Length: ", body.size(),
                      "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", head ? "" : body);
}

absl::StatusOr<int> Listen(absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return InvalidField("ops.listen", listen, "give host:port, such as 127.0.0.1:9100 or [::1]:0");
  }
  std::string host(listen.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) {
    return InvalidField("ops.listen", listen, "the host is not an address of this machine");
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool ok =
      fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, 64) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (ok) return fd;
  if (fd >= 0) close(fd);
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("cannot listen on ops.listen '", listen, "': ", std::strerror(error)))
      .Reason("OPS_LISTEN")
      .Meta("address", listen);
}

int BoundPort(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  char port[8] = "0";
  getnameinfo(reinterpret_cast<sockaddr*>(&address), length, nullptr, 0, port, sizeof port,
              NI_NUMERICSERV);
  return std::atoi(port);
}

}  // namespace

struct OpsServer::Impl {
  Impl(Registry& r, std::function<std::string()> w) : registry(r), waiting_for(std::move(w)) {}

  void Loop();
  void Accept();
  // False when the connection is done with.
  bool Advance(Connection& connection);
  bool Read(Connection& connection);
  std::string Handle(absl::string_view request) const;

  Registry& registry;
  const std::function<std::string()> waiting_for;
  std::string address;
  int listener = -1;
  int stop_event = -1;
  std::thread thread;

  // Only the thread's.
  SystemClock clock;
  std::list<Connection> connections;
  absl::Duration accept_after = -absl::InfiniteDuration();
};

std::string OpsServer::Impl::Handle(absl::string_view request) const {
  const absl::string_view line = request.substr(0, request.find("\r\n"));
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == absl::string_view::npos || first == last ||
      !absl::StartsWith(line.substr(last + 1), "HTTP/1.")) {
    return Answer("400 Bad Request", kTextType, "not an HTTP request\n");
  }
  const absl::string_view method = line.substr(0, first);
  const bool head = method == "HEAD";
  if (!head && method != "GET")
    return Answer("405 Method Not Allowed", kTextType, "only GET and HEAD\n");
  absl::string_view path = line.substr(first + 1, last - first - 1);
  path = path.substr(0, path.find('?'));
  if (path == "/metrics") return Answer("200 OK", kMetricsType, registry.Render(), head);
  if (path == "/livez") return Answer("200 OK", kTextType, "ok\n", head);
  if (path != "/readyz") {
    return Answer("404 Not Found", kTextType, "there are /metrics, /livez and /readyz\n", head);
  }
  const std::string missing = waiting_for();
  if (missing.empty()) return Answer("200 OK", kTextType, "ok\n", head);
  return Answer("503 Service Unavailable", kTextType, absl::StrCat("waiting for ", missing, "\n"),
                head);
}

void OpsServer::Impl::Accept() {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    // Out of descriptors: the connection stays in the backlog, and polling again at once would
    // spin.
    accept_after = clock.Monotonic() + kAcceptPause;
    return;
  }
  Connection& connection = connections.emplace_back();
  connection.fd = fd;
  connection.deadline = clock.Monotonic() + kConnectionTime;
}

bool OpsServer::Impl::Read(Connection& connection) {
  char buffer[2048];
  const ssize_t n = recv(connection.fd, buffer, sizeof buffer, 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  if (connection.state == Connection::State::kClosing) return true;  // What we refused to read.
  connection.in.append(buffer, static_cast<size_t>(n));
  if (connection.in.size() > kRequestMax) {
    connection.out =
        Answer("431 Request Header Fields Too Large", kTextType, "the request is too large\n");
  } else if (connection.in.find("\r\n\r\n") != std::string::npos) {
    connection.out = Handle(connection.in);
  }
  if (!connection.out.empty()) connection.state = Connection::State::kWriting;
  return true;
}

bool OpsServer::Impl::Advance(Connection& connection) {
  if (connection.state != Connection::State::kWriting && !Read(connection)) return false;
  if (connection.state != Connection::State::kWriting) return true;
  const ssize_t n = send(connection.fd, connection.out.data() + connection.written,
                         connection.out.size() - connection.written, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  connection.written += static_cast<size_t>(n);
  if (connection.written < connection.out.size()) return true;
  // Closing with unread input would reset the connection and lose the answer: wait for the client's
  // end.
  shutdown(connection.fd, SHUT_WR);
  connection.state = Connection::State::kClosing;
  return true;
}

void OpsServer::Impl::Loop() {
  exec::SetThreadName("ops");
  std::vector<pollfd> fds;
  for (;;) {
    const absl::Duration now = clock.Monotonic();
    const bool accepting = connections.size() < kConnectionsMax && now >= accept_after;
    absl::Duration wait = absl::InfiniteDuration();
    if (now < accept_after) wait = accept_after - now;
    fds.assign({{stop_event, POLLIN, 0}, {accepting ? listener : -1, POLLIN, 0}});
    for (const Connection& connection : connections) {
      const bool writing = connection.state == Connection::State::kWriting;
      fds.push_back({connection.fd, static_cast<int16_t>(writing ? POLLOUT : POLLIN), 0});
      wait = std::min(wait, std::max(connection.deadline - now, absl::ZeroDuration()));
    }
    const int timeout_ms = wait == absl::InfiniteDuration()
                               ? -1
                               : static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1;
    if (poll(fds.data(), fds.size(), timeout_ms) < 0) continue;
    if (fds[0].revents != 0) break;
    size_t i = 2;
    for (auto it = connections.begin(); it != connections.end(); ++i) {
      const bool alive = fds[i].revents == 0 || Advance(*it);
      if (alive && clock.Monotonic() < it->deadline) {
        ++it;
        continue;
      }
      close(it->fd);
      it = connections.erase(it);
    }
    if (fds[1].revents != 0) Accept();
  }
  for (const Connection& connection : connections) close(connection.fd);
}

absl::StatusOr<std::unique_ptr<OpsServer>> OpsServer::Create(
    absl::string_view listen, Registry& registry, std::function<std::string()> waiting_for) {
  absl::StatusOr<int> listener = Listen(listen);
  if (!listener.ok()) return listener.status();
  auto impl = std::make_unique<Impl>(registry, std::move(waiting_for));
  impl->listener = *listener;
  impl->stop_event = eventfd(0, EFD_CLOEXEC);
  impl->address = absl::StrCat(listen.substr(0, listen.rfind(':')), ":", BoundPort(*listener));
  impl->thread = std::thread(&Impl::Loop, impl.get());
  return std::unique_ptr<OpsServer>(new OpsServer(std::move(impl)));
}

OpsServer::OpsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

OpsServer::~OpsServer() {
  eventfd_write(impl_->stop_event, 1);
  impl_->thread.join();
  close(impl_->listener);
  close(impl_->stop_event);
}

std::string OpsServer::address() const { return impl_->address; }

}  // namespace skerry::metrics
