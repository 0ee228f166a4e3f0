#include "services/edged-svc/testing/unix_peer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/match.h"

namespace skerry::edged {

UnixPeer::UnixPeer(const std::string& path, std::function<void(int)> serve)
    : serve_(std::move(serve)), listener_(socket(AF_UNIX, SOCK_STREAM, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener_, 16), 0);
  accepting_ = std::thread([this] {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0;) {
      absl::MutexLock lock(&mutex_);
      open_.insert(fd);
      serving_.emplace_back([this, fd] { Serve(fd); });
    }
  });
}

UnixPeer::~UnixPeer() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    absl::MutexLock lock(&mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : serving_) thread.join();
  close(listener_);
}

void UnixPeer::Serve(int fd) {
  serve_(fd);
  absl::MutexLock lock(&mutex_);
  open_.erase(fd);
  close(fd);
}

void UnixPeer::ReadUntilItEnds(int fd) {
  char buffer[4096];
  while (read(fd, buffer, sizeof(buffer)) > 0) {
  }
}

std::string UnixPeer::ReadHead(int fd) {
  std::string head;
  char byte;
  while (!absl::EndsWith(head, "\r\n\r\n") && read(fd, &byte, 1) == 1) head.push_back(byte);
  return head;
}

void UnixPeer::Write(int fd, const std::string& bytes) {
  size_t sent = 0;
  for (ssize_t n; sent < bytes.size() &&
                  (n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL)) > 0;)
    sent += static_cast<size_t>(n);
}

}  // namespace skerry::edged
