#include "services/lib/http/testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "services/lib/base/check.h"

namespace skerry::testing {

RawClient::RawClient(const std::string& address, int receive_buffer_bytes)
    : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  SKERRY_CHECK(fd_ >= 0);
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const size_t colon = address.rfind(':');
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
  SKERRY_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) == 0);
}

RawClient::~RawClient() { close(fd_); }

bool RawClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawClient::CloseSending() { shutdown(fd_, SHUT_WR); }

std::string RawClient::ReadAll() {
  std::string all;
  char buffer[16384];
  for (;;) {
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) return all;
    all.append(buffer, static_cast<size_t>(got));
  }
}

std::string RawClient::ReadUntil(absl::string_view end) {
  std::string text;
  char buffer[16384];
  while (!absl::EndsWith(text, end)) {
    const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_PEEK);
    if (got <= 0) break;
    const size_t before = text.size();
    text.append(buffer, static_cast<size_t>(got));
    const size_t found = text.find(end.data(), before - std::min(before, end.size()), end.size());
    if (found != std::string::npos) text.resize(found + end.size());
    // What was looked at is taken; what follows `end` stays.
    if (recv(fd_, buffer, text.size() - before, 0) <= 0) break;
  }
  return text;
}

}  // namespace skerry::testing
