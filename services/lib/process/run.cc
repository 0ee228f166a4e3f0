#include "services/lib/process/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/log/json_text.h"
#include "services/lib/metrics/ops_client.h"
#include "services/lib/process/stop.h"

namespace skerry::process {
namespace {

// What an answer about health may take: orchestrators give it a few seconds.
constexpr absl::Duration kHealthTime = absl::Seconds(3);

// What Stop may take after Drain's time is over. A process that hangs is worse than one that died:
// nothing restarts it.
constexpr absl::Duration kStopTime = absl::Seconds(10);

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Waits for stop signals on a thread of its own, so that the second one ends the process whatever
// the main thread is doing (a hanging Start or Stop too).
class SignalWatch {
 public:
  SignalWatch(absl::Duration stop_within, const log::Logger& log)
      : stop_within_(stop_within), log_(log) {
    SetStop(false);
    const sigset_t set = StopSignals();
    signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    end_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { Loop(); });
  }

  ~SignalWatch() {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t written = write(end_fd_, &one, sizeof one);
    thread_.join();
    close(signal_fd_);
    close(end_fd_);
  }

  void AwaitFirst() { AwaitStop(absl::InfiniteDuration()); }

 private:
  void Loop() {
    SystemClock clock;
    absl::Duration deadline = absl::InfiniteDuration();  // By the monotonic clock.
    for (;;) {
      int timeout_ms = -1;
      if (deadline != absl::InfiniteDuration()) {
        const absl::Duration left = std::max(deadline - clock.Monotonic(), absl::ZeroDuration());
        timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
      }
      pollfd fds[] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
      if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR) continue;
      if (fds[1].revents != 0) return;
      signalfd_siginfo info;
      if (read(signal_fd_, &info, sizeof info) == sizeof info) {
        if (deadline != absl::InfiniteDuration()) {
          log_.Warning("second signal, stopped at once",
                       {{"signal", static_cast<int>(info.ssi_signo)}});
          _exit(1);
        }
        log_.Info("stopping", {{"signal", static_cast<int>(info.ssi_signo)}});
        deadline = clock.Monotonic() + stop_within_;
        SetStop(true);
      } else if (clock.Monotonic() >= deadline) {
        log_.Error("stopping took too long, stopped at once", {{"limit", stop_within_}});
        _exit(1);
      }
    }
  }

  const absl::Duration stop_within_;
  const log::Logger log_;
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::thread thread_;
};

absl::Status FileError(absl::string_view what, const std::string& path) {
  const int error = errno;
  return Error(
             absl::StatusCode::kFailedPrecondition,
             absl::StrCat("cannot ", what, " addresses_file '", path, "': ", std::strerror(error)))
      .Reason("ADDRESSES_FILE")
      .Meta("path", path);
}

// By rename, so that a reader sees the whole file or none.
absl::Status WriteAddresses(const std::string& path,
                            const std::map<std::string, std::string>& addresses) {
  std::string text = absl::StrCat("{\"pid\":", getpid());
  for (const auto& [name, address] : addresses) {
    text += ',';
    log::AppendJsonString(text, name);
    text += ':';
    log::AppendJsonString(text, address);
  }
  text += "}\n";
  const std::string temporary = absl::StrCat(path, ".", getpid(), ".tmp");
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return FileError("create", temporary);
  const ssize_t written = write(fd, text.data(), text.size());
  close(fd);
  if (written != static_cast<ssize_t>(text.size())) return FileError("write", temporary);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return FileError("rename", path);
  return absl::OkStatus();
}

void Forget(const std::string& addresses_file) {
  if (!addresses_file.empty()) std::remove(addresses_file.c_str());
}

absl::Status Start(const Member& member) {
  SKERRY_RETURN_IF_ERROR(member.app->Start());
  const std::string& file = member.config->addresses_file;
  if (!file.empty()) SKERRY_RETURN_IF_ERROR(WriteAddresses(file, member.app->addresses()));
  member.log.Info("started", {{"waiting_for", member.app->readiness().WaitingFor()}});
  return absl::OkStatus();
}

void Stop(const Member& member) {
  member.app->Stop();
  Forget(member.config->addresses_file);
}

// Where the ops port of a running service is.
absl::StatusOr<std::string> OpsAddress(const config::CommonConfig& common) {
  if (!absl::EndsWith(common.ops_listen, ":0")) return common.ops_listen;
  std::ifstream file(common.addresses_file);
  const auto addresses = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (addresses.is_object()) {
    const auto ops = addresses.find("ops");
    if (ops != addresses.end() && ops->is_string()) return ops->get<std::string>();
  }
  if (common.addresses_file.empty()) {
    return InvalidField("ops.listen", common.ops_listen,
                        "its port is chosen at start: set one, or addresses_file");
  }
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("not ready: addresses_file '", common.addresses_file,
                            "' has no \"ops\", so it has not started"))
      .Reason("NOT_READY");
}

std::map<std::string, std::string> AllAddresses(const std::vector<Member>& members) {
  std::map<std::string, std::string> all;
  for (const Member& member : members) {
    for (const auto& [name, address] : member.app->addresses()) {
      all[absl::StrCat(member.name, "/", name)] = address;
    }
  }
  return all;
}

}  // namespace

void Init() {
  // Debian's Abseil has it on, for every mutex of gRPC too: half a KiB and a global lock each.
  // Tests keep it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int Fail(absl::string_view service, const absl::Status& status) {
  const std::string text = absl::StrCat(service, ": ", status.message(), "\n");
  std::fputs(text.c_str(), stderr);
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

int Run(App& app, const config::CommonConfig& config, const log::Logger& log) {
  return RunAll({{"", &app, &config, log}}, "");
}

int RunAll(const std::vector<Member>& members, const std::string& addresses_file) {
  absl::Duration stop_within = kStopTime;
  for (const Member& member : members) stop_within += member.config->drain_timeout;
  const log::Logger& log = members.front().log;
  SignalWatch signals(stop_within, log);
  Forget(addresses_file);  // These were left by a process that was killed.
  for (const Member& member : members) Forget(member.config->addresses_file);
  absl::Status started;
  size_t begun = 0;
  while (started.ok() && begun < members.size()) started = Start(members[begun++]);
  if (started.ok() && !addresses_file.empty()) {
    started = WriteAddresses(addresses_file, AllAddresses(members));
  }
  const bool told_to_end = absl::IsCancelled(started) && AwaitStop(absl::ZeroDuration());
  if (started.ok()) {
    signals.AwaitFirst();
  } else if (told_to_end) {
    members[begun - 1].log.Info("told to end before it had started");
  } else {
    members[begun - 1].log.Error("could not start", started);
  }
  while (begun-- > 0) {
    const Member& member = members[begun];
    if (started.ok()) member.app->Drain(absl::Now() + member.config->drain_timeout);
    Stop(member);
    if (started.ok()) member.log.Info("stopped");
  }
  Forget(addresses_file);
  return started.ok() || told_to_end ? 0 : 1;
}

void RequestStop() { kill(getpid(), SIGTERM); }

absl::StatusOr<log::Logger> StartLog(const config::Schema& schema,
                                     const config::CommonConfig& common) {
  log::Level level = log::Level::kInfo;
  SKERRY_RETURN_IF_ERROR(log::ParseLevel(common.log_level, level));
  const log::Logger log = log::Logger::Create(schema.service(), level);
  log.Info("configuration", schema.Effective());
  return log;
}

int CheckHealth(absl::string_view service, const config::CommonConfig& common) {
  const absl::StatusOr<std::string> address = OpsAddress(common);
  if (!address.ok()) return Fail(service, address.status());
  const absl::Status ready = metrics::AskReady(*address, kHealthTime);
  return ready.ok() ? 0 : Fail(service, ready);
}

int RunService(int argc, char** argv, config::Schema& schema, const config::CommonConfig& common,
               const std::function<std::unique_ptr<App>(const log::Logger&)>& make_app) {
  Init();
  absl::StatusOr<config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return Fail(schema.service(), action.status());
  if (*action == config::Action::kExit) return 0;
  if (*action == config::Action::kCheckHealth) return CheckHealth(schema.service(), common);
  const absl::StatusOr<log::Logger> log = StartLog(schema, common);
  if (!log.ok()) return Fail(schema.service(), log.status());
  std::unique_ptr<App> app = make_app(*log);
  return Run(*app, common, *log);
}

}  // namespace skerry::process
