#include "services/edged-svc/runner/log_rotator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "services/edged-svc/testing/fake_runtime.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::SizeIs;

// Also of a compressed file.
std::string Read(const std::string& path) {
  std::string out(1 << 10, '\0');
  gzFile file = gzopen(path.c_str(), "rb");
  const int count =
      file == nullptr ? 0 : gzread(file, out.data(), static_cast<unsigned>(out.size()));
  if (file != nullptr) gzclose(file);
  out.resize(static_cast<size_t>(std::max(0, count)));
  return out;
}

// A container that has its log open, as a runtime holds it.
class LogRotatorTest : public ::testing::Test {
 protected:
  LogRotatorTest() {
    ContainerView c;
    c.id = "c0";
    c.name = "c";
    c.state = ContainerView::State::kRunning;
    c.log_path = log_;
    runtime_.pods = std::vector<PodView>{PodView{.uid = "u", .containers = {c}}};
    runtime_.reopen_log = [this](absl::string_view id) {
      EXPECT_EQ(id, "c0");
      ++reopened_;
      if (reopen_.ok()) Open();
      return reopen_;
    };
    Open();
  }

  void Open() { out_ = std::make_unique<std::ofstream>(log_, std::ios::app); }
  void Write(const std::string& text) { *out_ << text << std::flush; }
  void Run() {
    rotator_.Run();
    clock_.Advance(absl::Seconds(10));
  }
  // Names of all files beside the log.
  std::set<std::string> Rotated() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(temp_.path()))
      names.insert(entry.path().filename().string());
    names.erase("0.log");
    return names;
  }
  ContainerView& Container() { return runtime_.pods->front().containers.front(); }
  bool Counted(const char* series) { return absl::StrContains(registry_.Render(), series); }

  skerry::testing::TempDir temp_;
  const std::string log_ = temp_.File("0.log");
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"edged-svc"};
  EdgedMetrics metrics_{registry_};
  FakeRuntime runtime_;
  absl::Status reopen_;
  int reopened_ = 0;
  std::unique_ptr<std::ofstream> out_;
  LogRotator rotator_{
      runtime_, clock_, {.bytes_max = 4, .files_max = 3}, metrics_, log::Logger::Null()};
};

// [edged-6.1]
TEST_F(LogRotatorTest, RotatesWhatHasGrown) {
  Write("123");
  Run();
  EXPECT_THAT(Rotated(), SizeIs(0));
  Write("4");
  Run();
  ASSERT_THAT(Rotated(), SizeIs(1));
  EXPECT_EQ(Read(temp_.File(*Rotated().begin())), "1234");
  EXPECT_EQ(Read(log_), "");
  Write("5678");
  Run();
  ASSERT_THAT(Rotated(), SizeIs(2));
  EXPECT_THAT(*Rotated().begin(), EndsWith(".gz"));
  EXPECT_EQ(Read(temp_.File(*Rotated().begin())), "1234");
  EXPECT_EQ(Read(temp_.File(*Rotated().rbegin())), "5678");
  Write("9abc");
  Run();
  ASSERT_THAT(Rotated(), SizeIs(2));  // Three with the current one.
  EXPECT_EQ(Read(temp_.File(*Rotated().begin())), "5678");
  EXPECT_EQ(Read(temp_.File(*Rotated().rbegin())), "9abc");
  EXPECT_EQ(reopened_, 3);
  EXPECT_TRUE(Counted(R"(skerry_edged_log_rotations_total{result="ok"} 3)"));
  EXPECT_TRUE(Counted(R"(skerry_edged_log_compressions_total{result="ok"} 2)"));
}

TEST_F(LogRotatorTest, WhatCannotBeReopenedStaysWhereItWas) {
  Write("1234");
  reopen_ = absl::UnavailableError("the runtime restarts");
  Run();
  EXPECT_THAT(Rotated(), SizeIs(0));
  EXPECT_EQ(Read(log_), "1234");
  EXPECT_TRUE(Counted(R"(skerry_edged_log_rotations_total{result="error"} 1)"));
  reopen_ = absl::OkStatus();
  Run();
  ASSERT_THAT(Rotated(), SizeIs(1));
  EXPECT_EQ(Read(temp_.File(*Rotated().begin())), "1234");
}

TEST_F(LogRotatorTest, ALostAnswerLosesNoLog) {
  Write("1234");
  runtime_.reopen_log = [this](absl::string_view) {
    Open();
    Write("5");
    return absl::DeadlineExceededError("late");
  };
  Run();
  ASSERT_THAT(Rotated(), SizeIs(1));
  EXPECT_EQ(Read(temp_.File(*Rotated().begin())), "1234");
  EXPECT_EQ(Read(log_), "5");
}

// [edged-6.1] Killed between the renaming and the reopening.
TEST_F(LogRotatorTest, GoesOnWhereItWasKilled) {
  Write("1234");
  fs::rename(log_, log_ + ".20260101-000000");
  Write("5");
  Run();
  EXPECT_EQ(reopened_, 1);
  EXPECT_EQ(Read(log_), "");
  EXPECT_EQ(Read(log_ + ".20260101-000000"), "12345");

  // And the container had ended by the time that edged was back.
  fs::rename(log_, log_ + ".20260101-000010");
  Write("6");
  Container().state = ContainerView::State::kExited;
  Run();
  EXPECT_EQ(Read(log_), "6");
  EXPECT_THAT(Rotated(), SizeIs(1));
  EXPECT_EQ(reopened_, 1);
}

TEST_F(LogRotatorTest, GoesOnWhereACompressionWasCutOff) {
  std::ofstream(log_ + ".20260101-000000") << "old";
  std::ofstream(log_ + ".20260101-000000.tmp") << "half";
  Write("1234");
  Run();
  ASSERT_THAT(Rotated(), SizeIs(2));
  EXPECT_EQ(Read(log_ + ".20260101-000000.gz"), "old");
}

TEST_F(LogRotatorTest, WhatCannotBeCompressedDoesNotStopIt) {
  fs::create_directory(log_ + ".20251231-000000");  // Reading it fails.
  Write("1234");
  Run();
  EXPECT_THAT(Rotated(), SizeIs(2));
  EXPECT_EQ(Read(log_), "");
  EXPECT_TRUE(Counted(R"(skerry_edged_log_compressions_total{result="error"} 1)"));
  EXPECT_TRUE(Counted(R"(skerry_edged_log_rotations_total{result="ok"} 1)"));
}

TEST_F(LogRotatorTest, LeavesLogsOfEndedContainersAlone) {
  Write("12345");
  Container().state = ContainerView::State::kExited;
  Run();
  EXPECT_EQ(Read(log_), "12345");
  EXPECT_EQ(reopened_, 0);
}

TEST_F(LogRotatorTest, ARuntimeThatCannotListChangesNothing) {
  Write("12345");
  runtime_.pods = absl::UnavailableError("down");
  Run();
  EXPECT_EQ(Read(log_), "12345");
}

}  // namespace
}  // namespace skerry::edged
