#include "services/lib/rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::rpc {
namespace {

// Of the kernel, for those that the queue has no room for. Beyond, it drops the first packet, and
// clients repeat that after 1, 3 and 7 s.
constexpr int kBacklog = 1024;
constexpr int kTickMillis = 100;
constexpr int kTickWithPacedMillis = 10;
constexpr int kEventsMax = 256;
constexpr HandshakeQueue::Id kListening = 1;
constexpr HandshakeQueue::Id kWake = 2;

absl::Duration Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

Error CannotListen(absl::string_view listen, absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("can't listen on '", listen, "': ", why))
      .Reason("LISTEN_FAILED")
      .Meta("address", listen);
}

absl::StatusOr<int> BindTo(const std::string& listen, const std::string& host,
                           const std::string& port) {
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* to = nullptr;
  const int unknown = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &to);
  if (unknown != 0) return CannotListen(listen, gai_strerror(unknown));
  const int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  const int off = 0;
  // A former server's connections may still be closing.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (to->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  const bool bound = bind(fd, to->ai_addr, to->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0;
  const int error = errno;
  freeaddrinfo(to);
  if (bound) return fd;
  if (fd >= 0) close(fd);
  return CannotListen(listen, strerror(error));
}

int PortOf(int fd) {
  sockaddr_storage bound = {};
  socklen_t length = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

// Of a client as gRPC names it.
std::string AddressOf(absl::string_view peer) {
  if (absl::ConsumePrefix(&peer, "ipv6:%5B")) return std::string(peer.substr(0, peer.find("%5D")));
  absl::ConsumePrefix(&peer, "ipv4:");
  return std::string(peer.substr(0, peer.rfind(':')));
}

// The address alone, and as gRPC names the client.
std::pair<std::string, std::string> NamesOf(const sockaddr_storage& from) {
  char text[INET6_ADDRSTRLEN] = {};
  if (from.ss_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(from);
    inet_ntop(AF_INET, &ipv4.sin_addr, text, sizeof(text));
    return {text, absl::StrCat("ipv4:", text, ":", ntohs(ipv4.sin_port))};
  }
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(from);
  const int port = ntohs(ipv6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
    inet_ntop(AF_INET, &ipv6.sin6_addr.s6_addr[12], text, sizeof(text));
    return {text, absl::StrCat("ipv4:", text, ":", port)};
  }
  inet_ntop(AF_INET6, &ipv6.sin6_addr, text, sizeof(text));
  return {text, absl::StrCat("ipv6:%5B", text, "%5D:", port)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const std::string& listen,
                                                           const HandshakeQueue::Config& config,
                                                           metrics::Registry& registry) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return InvalidField("listen", listen, "give host:port");
  absl::string_view host = absl::string_view(listen).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  const std::string port = listen.substr(colon + 1);
  // As gRPC takes it: both families, where there are both.
  absl::StatusOr<int> fd = BindTo(listen, host == "0.0.0.0" ? "::" : std::string(host), port);
  if (!fd.ok() && host == "0.0.0.0") fd = BindTo(listen, std::string(host), port);
  if (!fd.ok()) return fd.status();
  std::string address = absl::StrCat(listen.substr(0, colon), ":", PortOf(*fd));
  return std::unique_ptr<Listener>(new Listener(*fd, std::move(address), config, registry));
}

Listener::Listener(int fd, std::string address, const HandshakeQueue::Config& config,
                   metrics::Registry& registry)
    : address_(std::move(address)),
      listening_(fd),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      under_way_(registry.Gauge("skerry_rpc_listener_handshakes",
                                "Connections that are in their TLS handshake.")),
      waiting_(registry.Gauge("skerry_rpc_listener_waiting",
                              "Connections that wait for their TLS handshake.")),
      paced_(
          registry.Gauge("skerry_rpc_listener_paced_addresses",
                         "Addresses whose handshakes begin 50 ms apart, for they dial in vain.")),
      refused_(registry.Counter("skerry_rpc_listener_dropped_total",
                                "Connections that ended before their first call.",
                                {{"reason", "too_many_of_address"}})),
      gone_(registry.Counter("skerry_rpc_listener_dropped_total",
                             "Connections that ended before their first call.",
                             {{"reason", "gone"}})),
      stalled_(registry.Counter("skerry_rpc_listener_stalls_total",
                                "Handshakes that took so long that another was begun.")),
      queue_(config),
      last_id_(kWake) {
  SKERRY_CHECK(epoll_ >= 0 && wake_ >= 0);
  Watch(EPOLL_CTL_ADD, wake_, EPOLLIN, kWake);
}

Listener::~Listener() {
  Stop();
  close(wake_);
  close(epoll_);
  close(listening_);
}

void Listener::Start(HandOver hand_over) {
  hand_over_ = std::move(hand_over);
  thread_ = std::thread([this] { Loop(); });
  Wake();
}

void Listener::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  shutdown(listening_, SHUT_RDWR);  // Clients are refused from here on.
  absl::MutexLock lock(&mutex_);
  while (!connections_.empty()) Drop(connections_.begin()->first);
}

void Listener::Arrived(absl::string_view peer) {
  absl::MutexLock lock(&mutex_);
  auto it = by_peer_.find(peer);
  if (it == by_peer_.end()) return;  // It took long, and counts no more.
  Drop(it->second);
  if (queue_.waiting() != 0) Wake();
}

void Listener::Refused(absl::string_view peer) {
  absl::MutexLock lock(&mutex_);
  queue_.Fault(AddressOf(peer), Now());
}

void Listener::Loop() {
  exec::SetThreadName("listener");
  epoll_event events[kEventsMax];
  int tick = kTickMillis;
  while (Turn(events, epoll_wait(epoll_, events, kEventsMax, tick))) {
    absl::MutexLock lock(&mutex_);
    tick = queue_.waiting() != 0 && queue_.Paced(Now()) != 0 ? kTickWithPacedMillis : kTickMillis;
  }
}

bool Listener::Turn(const epoll_event* events, int count) {
  std::vector<int> begun;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return false;
    for (int i = 0; i < count; ++i) {
      const HandshakeQueue::Id id = events[i].data.u64;
      if (id == kListening) {
        Accept();
      } else if (id == kWake) {
        uint64_t wakes = 0;
        SKERRY_CHECK(read(wake_, &wakes, sizeof(wakes)) > 0);
      } else if (connections_.count(id) != 0) {
        gone_.Increment();
        const Connection& gone = connections_.at(id);
        if (gone.begun) queue_.Fault(gone.address, Now());
        Drop(id);
      }
    }
    for (HandshakeQueue::Id id : queue_.Overdue(Now())) {
      stalled_.Increment();
      Drop(id);
    }
    begun = Begin();
    const bool accepting = !queue_.full() && !std::exchange(out_of_files_, false);
    if (accepting != std::exchange(accepting_, accepting)) {
      Watch(accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listening_, EPOLLIN, kListening);
    }
    under_way_.Set(static_cast<double>(queue_.under_way()));
    waiting_.Set(static_cast<double>(queue_.waiting()));
    paced_.Set(static_cast<double>(queue_.Paced(Now())));
  }
  for (int fd : begun) hand_over_(fd);
  return true;
}

void Listener::Accept() {
  while (!queue_.full()) {
    sockaddr_storage from = {};
    socklen_t length = sizeof(from);
    const int fd = accept4(listening_, reinterpret_cast<sockaddr*>(&from), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      out_of_files_ = errno != EAGAIN;  // Then it tries again in a while.
      return;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto [address, peer] = NamesOf(from);
    if (!queue_.Add(++last_id_, address)) {
      refused_.Increment();
      close(fd);
      continue;
    }
    connections_[last_id_] = {fd, std::move(peer), std::move(address)};
    Watch(EPOLL_CTL_ADD, fd, EPOLLRDHUP, last_id_);
  }
}

std::vector<int> Listener::Begin() {
  std::vector<int> begun;
  while (std::optional<HandshakeQueue::Id> id = queue_.Next(Now())) {
    Connection& connection = connections_.at(*id);
    // gRPC shuts a connection down before it closes it, which a second descriptor sees.
    const int second = fcntl(connection.fd, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {  // None is left.
      Drop(*id);
      continue;
    }
    Watch(EPOLL_CTL_DEL, connection.fd, 0, 0);
    begun.push_back(std::exchange(connection.fd, second));
    Watch(EPOLL_CTL_ADD, second, EPOLLRDHUP, *id);
    by_peer_[connection.peer] = *id;
    connection.begun = true;
  }
  return begun;
}

void Listener::Drop(HandshakeQueue::Id id) {
  auto it = connections_.find(id);
  // To close it would not do: gRPC may have the same connection open.
  Watch(EPOLL_CTL_DEL, it->second.fd, 0, 0);
  close(it->second.fd);
  auto under_way = by_peer_.find(it->second.peer);
  if (under_way != by_peer_.end() && under_way->second == id) by_peer_.erase(under_way);
  connections_.erase(it);
  queue_.Remove(id);
}

void Listener::Watch(int operation, int fd, uint32_t events, HandshakeQueue::Id id) {
  epoll_event event = {.events = events, .data = {.u64 = id}};
  SKERRY_CHECK(epoll_ctl(epoll_, operation, fd, &event) == 0);
}

void Listener::Wake() {
  const uint64_t one = 1;
  SKERRY_CHECK(write(wake_, &one, sizeof(one)) > 0);
}

}  // namespace skerry::rpc
