#include "services/lib/process/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "services/lib/testing/temp_dir.h"

namespace skerry::process {
namespace {

using ::skerry::testing::ReadFileText;
using ::skerry::testing::TempDir;
using ::testing::HasSubstr;

// The process of several services as a real one; its standard output has a line for each step.
class ServicesTest : public ::testing::Test {
 protected:
  ~ServicesTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (steps_ != nullptr) std::fclose(steps_);
  }

  void Begin() {
    int out[2];
    ASSERT_EQ(pipe(out), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], 1);
      std::freopen(errors_.c_str(), "w", stderr);
      execl("services/lib/process/children", "children", dir_.path().c_str(), addresses_.c_str(),
            nullptr);
      _exit(127);
    }
    close(out[1]);
    steps_ = fdopen(out[0], "r");
  }

  // Empty at the end of the process.
  std::string Step() {
    char line[256] = "";
    if (std::fgets(line, sizeof line, steps_) == nullptr) return "";
    const std::string text = line;
    return text.substr(0, text.size() - 1);
  }

  int ExitCode() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // Until the file of all addresses is there: all have started.
  nlohmann::json Addresses() {
    while (access(addresses_.c_str(), F_OK) != 0 && kill(pid_, 0) == 0) sched_yield();
    return nlohmann::json::parse(ReadFileText(addresses_), nullptr, false);
  }

  std::string Errors() { return ReadFileText(errors_); }

  TempDir dir_;
  const std::string addresses_ = dir_.File("all.json");
  const std::string errors_ = dir_.File("errors.txt");
  pid_t pid_ = -1;
  std::FILE* steps_ = nullptr;
};

TEST_F(ServicesTest, StartInOrderAndEndInTheOtherOne) {
  dir_.Write("a.yaml", "name: first\naddresses_file: " + dir_.File("a.json") + "\n");
  dir_.Write("b.yaml", "name: second\n");
  Begin();
  EXPECT_EQ(Step(), "first start");
  EXPECT_EQ(Step(), "second start");
  const nlohmann::json all = Addresses();
  EXPECT_EQ(all["pid"], pid_);
  EXPECT_EQ(all["a-svc/api"], "unix:/first");
  EXPECT_EQ(all["b-svc/api"], "unix:/second");
  EXPECT_THAT(ReadFileText(dir_.File("a.json")), HasSubstr("unix:/first"));
  kill(pid_, SIGTERM);
  EXPECT_EQ(Step(), "second drain");
  EXPECT_EQ(Step(), "second stop");
  EXPECT_EQ(Step(), "first drain");
  EXPECT_EQ(Step(), "first stop");
  EXPECT_EQ(ExitCode(), 0);
  EXPECT_NE(access(addresses_.c_str(), F_OK), 0);
  EXPECT_NE(access(dir_.File("a.json").c_str(), F_OK), 0);
}

TEST_F(ServicesTest, OneWithoutAConfigurationDoesNotRun) {
  dir_.Write("b.yaml", "name: second\n");
  Begin();
  EXPECT_EQ(Step(), "second start");
  kill(pid_, SIGTERM);
  EXPECT_EQ(Step(), "second drain");
  EXPECT_EQ(Step(), "second stop");
  EXPECT_EQ(Step(), "");
  EXPECT_EQ(ExitCode(), 0);
  EXPECT_THAT(Errors(), HasSubstr("left out"));
}

TEST_F(ServicesTest, WhereOneCannotStartNoneRuns) {
  dir_.Write("a.yaml", "name: first\n");
  dir_.Write("b.yaml", "name: second\nfails: true\n");
  Begin();
  EXPECT_EQ(Step(), "first start");
  EXPECT_EQ(Step(), "second start");
  EXPECT_EQ(Step(), "second stop");
  EXPECT_EQ(Step(), "first stop");
  EXPECT_EQ(ExitCode(), 1);
  EXPECT_THAT(Errors(), HasSubstr("port 1 is taken"));
}

TEST_F(ServicesTest, ABadConfigurationOfOneIsRefusedBeforeAnyStarts) {
  dir_.Write("a.yaml", "name: first\n");
  dir_.Write("b.yaml", "nam: second\n");
  Begin();
  EXPECT_EQ(Step(), "");
  EXPECT_EQ(ExitCode(), 2);
  EXPECT_THAT(Errors(), HasSubstr("b.yaml"));
}

TEST_F(ServicesTest, WithoutAnyConfigurationItSaysWhoWritesIt) {
  Begin();
  EXPECT_EQ(Step(), "");
  EXPECT_EQ(ExitCode(), 2);
  EXPECT_THAT(Errors(), HasSubstr("skerryctl join"));
}

TEST_F(ServicesTest, OneThatAsksForARestartEndsAll) {
  dir_.Write("a.yaml", "name: first\nrestarts: true\n");
  dir_.Write("b.yaml", "name: second\n");
  Begin();
  for (const char* step : {"first start", "second start", "second drain", "second stop",
                           "first drain", "first stop"}) {
    EXPECT_EQ(Step(), step);
  }
  EXPECT_EQ(ExitCode(), 0);
}

}  // namespace
}  // namespace skerry::process
