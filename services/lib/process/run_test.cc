#include "services/lib/process/run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::process {
namespace {

using ::skerry::testing::ReadFileText;
using ::skerry::testing::TempDir;
using ::testing::HasSubstr;

// The child as a real process. Its steps are read from a pipe, so that no test sleeps.
class Child {
 public:
  Child(const std::string& hang, const std::string& addresses_file) {
    int out[2], err[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    const std::string hang_flag = "--hang=" + hang,
                      file_flag = "--addresses_file=" + addresses_file;
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], 1);
      dup2(err[1], 2);
      execl("services/lib/process/child", "child", hang_flag.c_str(), file_flag.c_str(), nullptr);
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    steps_ = fdopen(out[0], "r");
    log_ = fdopen(err[0], "r");
    configuration_ = NextLog();
  }
  ~Child() {
    if (!waited_) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::fclose(steps_);
    std::fclose(log_);
  }

  std::string NextStep() { return Line(steps_); }
  std::string NextLog() { return Line(log_); }
  const std::string& configuration() const { return configuration_; }
  void Signal(int number) { kill(pid_, number); }
  int pid() const { return pid_; }

  // The exit code; -1 where a signal killed it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    waited_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static std::string Line(std::FILE* file) {
    char line[4096] = "";
    if (std::fgets(line, sizeof line, file) == nullptr) return "";
    std::string text(line);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  pid_t pid_ = -1;
  bool waited_ = false;
  std::FILE* steps_ = nullptr;
  std::FILE* log_ = nullptr;
  std::string configuration_;  // The first line of the log.
};

int ExitCode(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class RunTest : public ::testing::TestWithParam<int> {
 protected:
  TempDir dir_;
  const std::string addresses_ = dir_.File("addresses.json");
};

TEST_P(RunTest, ASignalDrainsAndStops) {
  Child child("", addresses_);
  EXPECT_EQ(child.NextStep(), "start");
  EXPECT_THAT(child.NextLog(), HasSubstr("started"));
  child.Signal(GetParam());
  EXPECT_EQ(child.NextStep(), "drain");
  EXPECT_EQ(child.NextStep(), "stop");
  EXPECT_EQ(child.Wait(), 0);
}
INSTANTIATE_TEST_SUITE_P(Signals, RunTest, ::testing::Values(SIGTERM, SIGINT));

TEST_F(RunTest, AddressesFileLivesAsLongAsTheService) {
  dir_.Write("addresses.json", "left behind");
  Child child("", addresses_);
  EXPECT_THAT(child.NextLog(), HasSubstr("started"));
  const auto written = nlohmann::json::parse(ReadFileText(addresses_), nullptr, false);
  ASSERT_TRUE(written.is_object());
  EXPECT_EQ(written["pid"], child.pid());
  EXPECT_EQ(written["api"], "unix:/run/\"x\"");
  EXPECT_EQ(written["ops"], "h:1");
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_NE(access(addresses_.c_str(), F_OK), 0);
}

// As an image's HEALTHCHECK does. The child has no ops port, so this test listens there.
TEST_F(RunTest, CheckHealthAsksTheOpsPortOfTheRunningService) {
  metrics::Registry registry("child");
  std::string waiting_for = "the hub";
  auto ops = metrics::OpsServer::Create("127.0.0.1:0", registry, [&] { return waiting_for; });
  ASSERT_TRUE(ops.ok()) << ops.status();
  const std::string check =
      "services/lib/process/child --check_health --ops_listen=" + (*ops)->address();
  EXPECT_EQ(ExitCode(check), 1);
  waiting_for.clear();
  EXPECT_EQ(ExitCode(check), 0);
  const std::string by_file =
      "services/lib/process/child --check_health --addresses_file=" + addresses_;
  EXPECT_EQ(ExitCode(by_file), 1) << "there is no such file: it has not started";
  dir_.Write("addresses.json", "{\"ops\":\"" + (*ops)->address() + "\"}");
  EXPECT_EQ(ExitCode(by_file), 0);
  EXPECT_EQ(ExitCode("services/lib/process/child --check_health"), 2) << "no port is known";
  ops->reset();
  EXPECT_EQ(ExitCode(check), 1);
}

TEST_F(RunTest, ASecondSignalEndsAHangingDrain) {
  Child child("drain", addresses_);
  EXPECT_THAT(child.NextLog(), HasSubstr("started"));
  child.Signal(SIGTERM);
  EXPECT_EQ(child.NextStep(), "start");
  EXPECT_EQ(child.NextStep(), "drain");
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 1);
  EXPECT_THAT(child.NextLog(), HasSubstr("\"signal\":15"));
  EXPECT_THAT(child.NextLog(), HasSubstr("second signal"));
}

TEST_F(RunTest, TwoSignalsEndAHangingStart) {
  Child child("start", addresses_);
  EXPECT_EQ(child.NextStep(), "start");
  child.Signal(SIGTERM);
  EXPECT_THAT(child.NextLog(), HasSubstr("stopping"));
  child.Signal(SIGINT);
  EXPECT_EQ(child.Wait(), 1);
}

TEST_F(RunTest, ASignalEndsAStartThatWaits) {
  Child child("wait", addresses_);
  EXPECT_EQ(child.NextStep(), "start");
  child.Signal(SIGTERM);
  EXPECT_THAT(child.NextLog(), HasSubstr("stopping"));
  EXPECT_THAT(child.NextLog(), HasSubstr("told to end before it had started"));
  EXPECT_EQ(child.NextStep(), "stop");
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(RunTest, AStartThatNobodyEndedHasFailed) {
  Child child("cancelled", addresses_);
  EXPECT_THAT(child.NextLog(), HasSubstr("could not start"));
  EXPECT_EQ(child.Wait(), 1);
}

TEST_F(RunTest, AFailedStartStopsAndExitsOne) {
  Child child("fail", addresses_);
  EXPECT_EQ(child.NextStep(), "start");
  EXPECT_EQ(child.NextStep(), "stop");
  EXPECT_EQ(child.Wait(), 1);
  EXPECT_THAT(child.NextLog(), HasSubstr("port 1 is taken"));
  EXPECT_NE(access(addresses_.c_str(), F_OK), 0);
}

TEST_F(RunTest, AnUnwritableAddressesFileIsAnErrorThatNamesIt) {
  Child child("", "/nowhere/addresses.json");
  EXPECT_EQ(child.NextStep(), "start");
  EXPECT_EQ(child.NextStep(), "stop");
  EXPECT_EQ(child.Wait(), 1);
  EXPECT_THAT(child.NextLog(), HasSubstr("/nowhere/addresses.json"));
}

TEST_F(RunTest, LogsItsConfigurationFirst) {
  Child child("drain", addresses_);
  EXPECT_THAT(child.configuration(), HasSubstr("\"msg\":\"configuration\""));
  EXPECT_THAT(child.configuration(), HasSubstr("\"hang\":\"drain\""));
  EXPECT_THAT(child.configuration(), HasSubstr("\"process.drain_timeout\":\"10s\""));
}

TEST(RunServiceTest, BadConfigurationExitsTwo) {
  config::Schema schema("x-svc", "");
  config::CommonConfig common;
  config::AddCommon(schema, common);
  std::string name = "x", bad = "--log_level=loud", version = "--version";
  char* bad_argv[] = {name.data(), bad.data()};
  char* version_argv[] = {name.data(), version.data()};
  auto never = [](const log::Logger&) -> std::unique_ptr<App> {
    ADD_FAILURE() << "must not be made";
    return nullptr;
  };
  EXPECT_EQ(RunService(2, bad_argv, schema, common, never), 2);
  common.log_level = "info";
  EXPECT_EQ(RunService(2, version_argv, schema, common, never), 0);
}

TEST(FailTest, PrintsTheErrorAndTellsBadInputApart) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Fail("x-svc", absl::InvalidArgumentError("give --listen")), 2);
  EXPECT_EQ(Fail("x-svc", absl::InternalError("broken")), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "x-svc: give --listen\nx-svc: broken\n");
}

}  // namespace
}  // namespace skerry::process
