#include "services/lib/log/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"

namespace skerry::log {
namespace {

using nlohmann::json;
using ::testing::MatchesRegex;

// What `write` logs, one parsed object a line.
std::vector<json> Lines(const std::function<void()>& write) {
  ::testing::internal::CaptureStderr();
  write();
  const std::string text = ::testing::internal::GetCapturedStderr();
  std::vector<json> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.push_back(json::parse(std::string(line), nullptr, false));
    EXPECT_FALSE(lines.back().is_discarded()) << line;
  }
  return lines;
}

TEST(LoggerTest, WritesOneObjectALine) {
  Logger log = Logger::Create("edgehub-svc", Level::kInfo);
  const auto lines = Lines([&] {
    log.Info("session resumed", {{"node", "n\n1"}, {"from_sequence", 7}});
  });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0]["time"].get<std::string>(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z"));
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["component"], "edgehub-svc");
  EXPECT_EQ(lines[0]["msg"], "session resumed");
  EXPECT_EQ(lines[0]["node"], "n\n1");
  EXPECT_EQ(lines[0]["from_sequence"], 7);
}

TEST(LoggerTest, WritesEveryKindOfValue) {
  Logger log = Logger::Create("x", Level::kInfo);
  const auto lines = Lines([&] {
    log.Info("m", {{"b", true},
                   {"i", std::numeric_limits<int64_t>::min()},
                   {"u", std::numeric_limits<uint64_t>::max()},
                   {"d", 0.1},
                   {"nan", std::nan("")},
                   {"inf", -std::numeric_limits<double>::infinity()},
                   {"duration", absl::Milliseconds(1500)},
                   {"time", absl::UnixEpoch()},
                   {"bytes", absl::string_view("a\xFF", 2)}});
  });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["b"], true);
  EXPECT_EQ(lines[0]["i"], std::numeric_limits<int64_t>::min());
  EXPECT_EQ(lines[0]["u"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(lines[0]["d"], 0.1);
  EXPECT_EQ(lines[0]["nan"], "NaN");
  EXPECT_EQ(lines[0]["inf"], "-Inf");
  EXPECT_EQ(lines[0]["duration"], 1.5);
  EXPECT_EQ(lines[0]["time"], "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(lines[0]["bytes"], "a\xEF\xBF\xBD");
}

TEST(LoggerTest, DropsLinesBelowItsLevel) {
  Logger log = Logger::Create("x", Level::kWarning);
  const auto lines = Lines([&] {
    log.Debug("1");
    log.Info("2");
    log.Warning("3");
    log.Error("4");
    Logger::Null().Error("5");
    Logger::Null().With({{"a", 1}}).Error("6");
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["level"], "warning");
  EXPECT_EQ(lines[1]["level"], "error");
}

TEST(LoggerTest, WithAddsFieldsToACopy) {
  Logger log = Logger::Create("x", Level::kInfo);
  Logger bound = log.With({{"node", "n1"}}).With({{"pod", "p"}});
  const auto lines = Lines([&] {
    bound.Info("a", {{"k", 1}});
    log.Info("b");
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["node"], "n1");
  EXPECT_EQ(lines[0]["pod"], "p");
  EXPECT_EQ(lines[0]["k"], 1);
  EXPECT_FALSE(lines[1].contains("node"));
}

TEST(LoggerTest, AddsTheFieldsOfAnError) {
  Logger log = Logger::Create("x", Level::kInfo);
  const absl::Status lost = skerry::Error(absl::StatusCode::kAborted, "lost").Reason("RACE");
  const auto lines = Lines([&] {
    log.Error("save failed", lost, {{"node", "n1"}});
    log.Warning("again", absl::InternalError("e"));
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["code"], "ABORTED");
  EXPECT_EQ(lines[0]["error"], "lost");
  EXPECT_EQ(lines[0]["reason"], "RACE");
  EXPECT_EQ(lines[0]["node"], "n1");
  EXPECT_FALSE(lines[1].contains("reason"));
}

TEST(LoggerTest, CutsLongTexts) {
  Logger log = Logger::Create("x", Level::kInfo);
  const auto lines = Lines([&] { log.Info("m", {{"error", std::string(100000, 'x')}}); });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LT(lines[0]["error"].get<std::string>().size(), 5000u);
}

TEST(LoggerTest, LinesOfManyThreadsStayWhole) {
  Logger log = Logger::Create("x", Level::kInfo);
  const auto lines = Lines([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 100; ++i) log.Info("m", {{"i", i}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(lines.size(), 400u);
}

TEST(ParseLevelTest, KnowsFourLevels) {
  Level level = Level::kError;
  EXPECT_TRUE(ParseLevel("debug", level).ok());
  EXPECT_EQ(level, Level::kDebug);
  EXPECT_FALSE(ParseLevel("Info", level).ok());
  EXPECT_EQ(level, Level::kDebug);
}

}  // namespace
}  // namespace skerry::log
