#include "services/lib/http/testing/raw_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"

namespace skerry::testing {

RawConnection::~RawConnection() {
  if (fd_ >= 0) close(fd_);
}

std::string RawConnection::ReadUntil(absl::string_view end) {
  std::string text;
  char byte;
  while (!absl::EndsWith(text, end) && recv(fd_, &byte, 1, 0) == 1) text += byte;
  return text;
}

bool RawConnection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawConnection::AwaitEnd() {
  char piece[4096];
  while (recv(fd_, piece, sizeof piece, 0) > 0) {
  }
}

void RawConnection::Reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd_);
  fd_ = -1;
}

RawServer::RawServer(Script script, bool ipv6)
    : script_(std::move(script)), fd_(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0)) {
  SKERRY_CHECK(fd_ >= 0);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = ipv6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = ipv6 ? sizeof v6 : sizeof v4;
  SKERRY_CHECK(bind(fd_, address, size) == 0);
  SKERRY_CHECK(listen(fd_, 16) == 0);
  SKERRY_CHECK(getsockname(fd_, address, &size) == 0);
  address_ = ipv6 ? absl::StrCat("[::1]:", ntohs(v6.sin6_port))
                  : absl::StrCat("127.0.0.1:", ntohs(v4.sin_port));
  thread_ = std::thread([this] { Run(); });
}

RawServer::~RawServer() {
  shutdown(fd_, SHUT_RDWR);  // Ends accept().
  thread_.join();
  close(fd_);
}

void RawServer::Run() {
  for (;;) {
    const int fd = accept(fd_, nullptr, nullptr);
    if (fd < 0) return;
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    RawConnection connection(fd);
    script_(connection, connections_++);
  }
}

}  // namespace skerry::testing
