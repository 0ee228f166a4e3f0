#include "services/edged-svc/docker/inside.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/docker/container_process.h"
#include "services/edged-svc/docker/engine_stream.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using Tcp = asio::ip::tcp;

absl::Status Refused(absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable, why).Reason("PORT_UNREACHABLE");
}

// A socket belongs to the namespace in which it was made, so only its making is done in there.
absl::StatusOr<int> SocketInside(const PortInside& to, int family) {
  const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int inside = open(absl::StrCat("/proc/", to.pid, "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
  absl::StatusOr<int> result = 0;
  if (inside >= 0 && !IsOfContainer(to.container_id, to.pid)) {
    result = Refused(absl::StrCat("process ", to.pid,
                                  " is not the pod's: edged-svc needs the host's pid namespace"));
  } else if (home < 0 || inside < 0 || setns(inside, CLONE_NEWNET) != 0) {
    result = Refused(absl::StrCat("the network of process ", to.pid,
                                  " can't be entered: ", std::strerror(errno),
                                  "; edged-svc needs the host's pid namespace, CAP_SYS_ADMIN and "
                                  "CAP_SYS_PTRACE"));
  } else {
    result = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*result < 0) result = Refused(absl::StrCat("socket: ", std::strerror(errno)));
    // A thread that stays in there would take every later connection for one inside.
    if (setns(home, CLONE_NEWNET) != 0) std::abort();
  }
  if (home >= 0) close(home);
  if (inside >= 0) close(inside);
  return result;
}

class Attempt final : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<EngineNetwork> network, DockerEngine::Connected done)
      : network_(std::move(network)),
        socket_(network_->io()),
        timer_(network_->io()),
        done_(std::move(done)) {}

  void Begin(PortInside to, absl::Duration timeout) {
    to_ = std::move(to);
    network_->Add(this, [weak = weak_from_this()] {
      if (const auto self = weak.lock(); self != nullptr)
        self->End(absl::CancelledError("the runtime is being closed"));
    });
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    timer_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error) self->End(Refused("i/o timeout"));
    });
    Try(true, "");
  }

 private:
  // As "localhost" is tried: the older family first, as containerd does; its refusal is told where
  // the other has none, either.
  void Try(bool v4, const std::string& refusal) {
    const absl::StatusOr<int> fd = SocketInside(to_, v4 ? AF_INET : AF_INET6);
    if (!fd.ok()) return End(refusal.empty() ? fd.status() : Refused(refusal));
    ErrorCode error;
    socket_.close(error);
    socket_.assign(v4 ? Tcp::v4() : Tcp::v6(), *fd, error);
    if (error) return End(Refused(error.message()));
    const auto address = v4 ? asio::ip::address(asio::ip::address_v4::loopback())
                            : asio::ip::address(asio::ip::address_v6::loopback());
    socket_.async_connect(Tcp::endpoint(address, to_.port), [self = shared_from_this(), v4,
                                                             refusal](const ErrorCode& failed) {
      if (self->done_ == nullptr) return;
      if (!failed) return self->End(absl::OkStatus());
      if (!v4) return self->End(Refused(refusal));
      self->Try(false, absl::StrCat("dial localhost:", self->to_.port, ": ", failed.message()));
    });
  }

  void End(absl::Status status) {
    if (done_ == nullptr) return;
    timer_.cancel();
    network_->Remove(this);
    auto done = std::exchange(done_, nullptr);
    if (status.ok()) return done(MakeEngineStream(network_, std::move(socket_)));
    ErrorCode ignored;
    socket_.close(ignored);
    done(std::move(status));
  }

  const std::shared_ptr<EngineNetwork> network_;
  Tcp::socket socket_;
  asio::steady_timer timer_;
  PortInside to_;
  DockerEngine::Connected done_;  // Null once it has ended.
};

}  // namespace

void ConnectInNamespace(const std::shared_ptr<EngineNetwork>& network, const PortInside& to,
                        absl::Duration timeout, DockerEngine::Connected done) {
  std::make_shared<Attempt>(network, std::move(done))->Begin(to, timeout);
}

}  // namespace skerry::edged
