#include "services/eventbus-svc/testing/local_mosquitto.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

extern char** environ;

namespace skerry::testing {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(30);
constexpr int kPortsTried = 5;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One that was free a moment ago; 0 where there is none.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

bool Accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool accepts =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return accepts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LocalMosquitto>> LocalMosquitto::Start(absl::string_view config) {
  return StartWith(absl::StrCat("listener {port} 127.0.0.1\n", config, "\n"));
}

absl::StatusOr<std::unique_ptr<LocalMosquitto>> LocalMosquitto::StartWith(
    absl::string_view config) {
  std::unique_ptr<LocalMosquitto> broker(new LocalMosquitto(std::string(config)));
  absl::Status launched;
  for (int i = 0; i < kPortsTried; ++i) {
    broker->port_ = FreePort();
    launched = broker->Launch();
    if (launched.ok()) return broker;
    broker->Kill();
  }
  return launched;
}

LocalMosquitto::~LocalMosquitto() { Kill(); }

std::string LocalMosquitto::uri(absl::string_view scheme) const {
  return absl::StrCat(scheme, "://127.0.0.1:", port_);
}

std::string LocalMosquitto::Log() const { return ReadFileText(folder_.File("log")); }

absl::Status LocalMosquitto::Launch() {
  std::string file = folder_.Write(
      "mosquitto.conf",
      absl::StrReplaceAll(absl::StrCat(geteuid() == 0 ? "user root\n" : "", config_),
                          {{"{port}", absl::StrCat(port_)}, {"{dir}", folder_.path()}}));
  std::string program = "/usr/sbin/mosquitto", option = "-c";
  char* const arguments[] = {program.data(), option.data(), file.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = folder_.File("log");
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int spawned =
      posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) {
    process_ = -1;
    return absl::FailedPreconditionError(
        "there is no /usr/sbin/mosquitto: install Debian's package mosquitto");
  }
  const absl::Time deadline = absl::Now() + kStartTimeout;
  while (!Accepts(port_)) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return absl::InternalError(absl::StrCat("mosquitto ended: ", Log()));
    }
    if (absl::Now() > deadline) return absl::DeadlineExceededError("mosquitto does not listen");
    std::this_thread::yield();
  }
  return absl::OkStatus();
}

void LocalMosquitto::Kill() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

absl::Status LocalMosquitto::Restart() {
  Kill();
  return Launch();
}

}  // namespace skerry::testing
