#include "tools/skerryctl/top/link_rtt.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skerry::skerryctl {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMs = 1000;
constexpr uint32_t kEstablished = 1u << TCP_ESTABLISHED;

// Inodes of the sockets that the process has open.
std::set<uint32_t> SocketsOf(int64_t pid) {
  std::set<uint32_t> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(absl::StrCat("/proc/", pid, "/fd"), error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    absl::string_view text = target;
    uint32_t inode = 0;
    if (absl::ConsumePrefix(&text, "socket:[") && absl::ConsumeSuffix(&text, "]") &&
        absl::SimpleAtoi(text, &inode))
      out.insert(inode);
  }
  return out;
}

class Netlink {
 public:
  Netlink() : fd_(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}
  ~Netlink() {
    if (fd_ >= 0) close(fd_);
  }
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  bool AskForConnections(uint8_t family) const {
    struct {
      nlmsghdr header;
      inet_diag_req_v2 body;
    } request = {};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.sdiag_family = family;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request.body.idiag_states = kEstablished;
    return fd_ >= 0 && send(fd_, &request, sizeof(request), 0) == sizeof(request);
  }

  // Calls `take` for each message of the answer; ends with it, an error or after a second of
  // silence.
  template <typename Take>
  void Read(Take take) const {
    alignas(nlmsghdr) std::array<char, 32 << 10> buffer;
    while (true) {
      pollfd ready = {.fd = fd_, .events = POLLIN};
      if (poll(&ready, 1, kPatienceMs) <= 0) return;
      auto left = recv(fd_, buffer.data(), buffer.size(), 0);
      if (left <= 0) return;
      for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
           message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return;
        if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(inet_diag_msg))) take(*message);
      }
    }
  }

 private:
  const int fd_;
};

std::optional<absl::Duration> RttOf(nlmsghdr& message) {
  auto* body = static_cast<inet_diag_msg*>(NLMSG_DATA(&message));
  auto left = static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(sizeof(*body)));
  for (auto* part = reinterpret_cast<rtattr*>(body + 1); RTA_OK(part, left);
       part = RTA_NEXT(part, left)) {
    if (part->rta_type != INET_DIAG_INFO) continue;
    tcp_info info = {};  // The kernel's may be shorter or longer than ours.
    std::memcpy(&info, RTA_DATA(part), std::min<size_t>(RTA_PAYLOAD(part), sizeof(info)));
    if (info.tcpi_rtt > 0) return absl::Microseconds(info.tcpi_rtt);
  }
  return std::nullopt;
}

}  // namespace

std::optional<absl::Duration> ConnectionRtt(int64_t pid, uint16_t port) {
  const std::set<uint32_t> sockets = SocketsOf(pid);
  if (sockets.empty()) return std::nullopt;
  std::optional<absl::Duration> rtt;
  uint32_t newest = 0;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    const Netlink netlink;
    if (!netlink.AskForConnections(family)) continue;
    netlink.Read([&](nlmsghdr& message) {
      const auto* body = static_cast<const inet_diag_msg*>(NLMSG_DATA(&message));
      if (ntohs(body->id.idiag_dport) != port || sockets.count(body->idiag_inode) == 0 ||
          body->idiag_inode < newest)
        return;
      if (const auto found = RttOf(message); found.has_value()) {
        rtt = found;
        newest = body->idiag_inode;
      }
    });
  }
  return rtt;
}

}  // namespace skerry::skerryctl
