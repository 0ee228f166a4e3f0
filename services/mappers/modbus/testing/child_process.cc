#include "services/mappers/modbus/testing/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/check.h"

namespace skerry::mapper::modbus {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(30);

// The next byte; aborts at `deadline` and at the end.
char NextByte(int fd, absl::Time deadline) {
  char byte = 0;
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  const auto millis = static_cast<int>(absl::ToInt64Milliseconds(deadline - absl::Now()));
  SKERRY_CHECK(millis > 0 && poll(&waiting, 1, millis) == 1);
  SKERRY_CHECK(read(fd, &byte, 1) == 1);
  return byte;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, int output,
                           absl::string_view ready) {
  int ends[2];
  SKERRY_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  std::vector<std::string> arguments = command;
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], output);
  SKERRY_CHECK(posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  pipe_ = ends[0];
  const absl::Time deadline = absl::Now() + kStartLimit;
  while (!absl::StrContains(line_, ready)) {
    line_.clear();
    for (char byte = NextByte(pipe_, deadline); byte != '\n'; byte = NextByte(pipe_, deadline)) {
      line_.push_back(byte);
    }
  }
}

ChildProcess::~ChildProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(pipe_);
}

void ChildProcess::Pause() {
  kill(pid_, SIGSTOP);
  waitpid(pid_, nullptr, WUNTRACED);
}

void ChildProcess::Continue() { kill(pid_, SIGCONT); }

}  // namespace skerry::mapper::modbus
