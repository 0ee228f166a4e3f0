#include "services/mappers/modbus/testing/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "services/lib/base/check.h"

namespace skerry::mapper::modbus {
namespace {

constexpr size_t kRequestBytes = 12;

}  // namespace

std::string RawServer::Peer::Request() {
  std::string bytes(kRequestBytes, '\0');
  const ssize_t size = recv(fd_, bytes.data(), bytes.size(), MSG_WAITALL);
  bytes.resize(size == static_cast<ssize_t>(kRequestBytes) ? kRequestBytes : 0);
  return bytes;
}

bool RawServer::Peer::Send(const std::string& bytes) {
  return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

RawServer::RawServer(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  SKERRY_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  SKERRY_CHECK(listen(listener_, 8) == 0);
  SKERRY_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Loop(); });
}

RawServer::~RawServer() {
  shutdown(listener_, SHUT_RDWR);  // Ends accept().
  thread_.join();
  close(listener_);
}

void RawServer::Loop() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections_;
    Peer peer(fd);
    serve_(peer);
    close(fd);
  }
}

}  // namespace skerry::mapper::modbus
