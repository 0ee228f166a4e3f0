#include "services/edged-svc/kubelet/log_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

class LogFileTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  std::unique_ptr<LogFile> Open(std::optional<int64_t> tail = std::nullopt) {
    auto file = LogFile::Open(path_, tail);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  static std::vector<std::string> Lines(LogFile& file) {
    std::vector<std::string> lines;
    auto more = file.Read([&](absl::string_view line) {
      lines.emplace_back(line);
      return true;
    });
    EXPECT_TRUE(more.ok() && !*more);
    return lines;
  }

  using Expected = std::vector<std::string>;
  skerry::testing::TempDir folder_;
  const std::string path_ = folder_.File("0.log");
};

TEST_F(LogFileTest, ReadsWhatIsThereAndThenWhatComes) {
  Write("one\ntwo\nthr");
  auto file = Open();
  EXPECT_EQ(Lines(*file), (Expected{"one", "two"}));
  EXPECT_EQ(file->rest(), "thr");
  EXPECT_EQ(Lines(*file), Expected{});
  Write("ee\nfour\n");
  EXPECT_EQ(Lines(*file), (Expected{"three", "four"}));
}

TEST_F(LogFileTest, BeginsNearTheEnd) {
  for (int i = 0; i < 20000; ++i) Write("line " + std::to_string(i) + "\n");
  EXPECT_EQ(Lines(*Open(2)), (Expected{"line 19998", "line 19999"}));
  EXPECT_EQ(Lines(*Open(0)), Expected{});
  EXPECT_EQ(Lines(*Open(20000)).size(), 20000u);
  EXPECT_EQ(Lines(*Open(30000)).size(), 20000u);
  EXPECT_EQ(Lines(*Open(15000)).front(), "line 5000");
}

TEST_F(LogFileTest, StopsWhenItIsTold) {
  Write("one\ntwo\n");
  auto file = Open();
  auto more = file->Read([](absl::string_view) { return false; });
  EXPECT_TRUE(more.ok() && *more);
  EXPECT_EQ(Lines(*file), Expected{"two"});
}

TEST_F(LogFileTest, GoesOnInTheFileThatTookItsPlace) {
  Write("one\n");
  auto file = Open();
  EXPECT_EQ(Lines(*file), Expected{"one"});
  Write("two\n");
  ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  Write("three\n");
  EXPECT_EQ(Lines(*file), (Expected{"two", "three"}));
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  EXPECT_EQ(Lines(*file), Expected{});
  Write("four\n");
  EXPECT_EQ(Lines(*file), Expected{"four"});
}

TEST_F(LogFileTest, SaysThatThereIsNone) {
  EXPECT_EQ(LogFile::Open(path_, std::nullopt).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace skerry::edged
