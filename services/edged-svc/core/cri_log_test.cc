#include "services/edged-svc/core/cri_log.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

constexpr char kFirst[] = "2024-05-01T10:00:00.000000001Z stdout F one";
constexpr char kPart[] = "2024-05-01T10:00:01Z stderr P two, ";
constexpr char kRest[] = "2024-05-01T10:00:02.5Z stderr F and its rest";

std::string All(const LogOptions& options) {
  LogFormatter formatter(options);
  std::string out;
  for (const char* line : {kFirst, kPart, kRest}) formatter.Append(line, out);
  return out;
}

TEST(CriLogTest, ReadsTheFourParts) {
  std::optional<CriLogLine> line = ParseCriLogLine(kFirst);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->text, "one");
  EXPECT_FALSE(line->partial);
  EXPECT_EQ(line->time, absl::FromUnixSeconds(1714557600) + absl::Nanoseconds(1));
  EXPECT_TRUE(ParseCriLogLine(kPart)->partial);
  EXPECT_EQ(ParseCriLogLine("2024-05-01T10:00:01Z stdout F ")->text, "");
  EXPECT_EQ(ParseCriLogLine("2024-05-01T10:00:01Z stdout F:x  a b")->text, " a b");
}

TEST(CriLogTest, LeavesOutWhatIsNoLine) {
  for (const char* line : {"", "text", "2024-05-01T10:00:01Z stdout",
                           "2024-05-01T10:00:01Z other F x", "yesterday stdout F x"}) {
    EXPECT_FALSE(ParseCriLogLine(line).has_value()) << line;
  }
}

TEST(CriLogTest, JoinsPartsOfALine) { EXPECT_EQ(All({}), "one\ntwo, and its rest\n"); }

TEST(CriLogTest, StampsEachLineOnce) {
  EXPECT_EQ(All({.timestamps = true}),
            "2024-05-01T10:00:00.000000001Z one\n2024-05-01T10:00:01Z two, and its rest\n");
}

TEST(CriLogTest, StartsAtATimeAndEndsAtALimit) {
  EXPECT_EQ(All({.since = absl::FromUnixSeconds(1714557601)}), "two, and its rest\n");
  EXPECT_EQ(All({.limit_bytes = 6}), "one\ntw");
}

TEST(LogOptionsTest, ReadsTheQuery) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  absl::StatusOr<LogOptions> options = ParseLogOptions({{"follow", "true"},
                                                        {"tailLines", "5"},
                                                        {"sinceSeconds", "60"},
                                                        {"limitBytes", "9"},
                                                        {"timestamps", "1"},
                                                        {"previous", "false"},
                                                        {"other", "x"}},
                                                       now);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_TRUE(options->follow && options->timestamps && !options->previous);
  EXPECT_EQ(options->tail_lines, 5);
  EXPECT_EQ(options->limit_bytes, 9);
  EXPECT_EQ(options->since, absl::FromUnixSeconds(940));
  EXPECT_EQ(ParseLogOptions({{"sinceTime", "1970-01-01T00:00:07Z"}}, now)->since,
            absl::FromUnixSeconds(7));
}

TEST(LogOptionsTest, NamesWhatIsWrong) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"tailLines", "-1"},
                                                        {"tailLines", "x"},
                                                        {"limitBytes", "0"},
                                                        {"sinceSeconds", "0"},
                                                        {"sinceTime", "yesterday"},
                                                        {"follow", "perhaps"}}) {
    absl::Status status = ParseLogOptions({{name, value}}, absl::Now()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_NE(status.message().find(name), absl::string_view::npos) << status;
  }
  EXPECT_FALSE(
      ParseLogOptions({{"sinceTime", "1970-01-01T00:00:07Z"}, {"sinceSeconds", "5"}}, absl::Now())
          .ok());
}

}  // namespace
}  // namespace skerry::edged
