#include "services/edged-svc/core/docker_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kStamp[] = "2016-10-06T00:17:09.669794202Z";

std::string Frame(char kind, const std::string& bytes) {
  std::string out = {kind, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(bytes.size() >> shift & 0xff));
  return out + bytes;
}

struct Read {
  std::vector<std::string> lines;
  absl::Status status;
};

// `step` bytes at a time.
Read ReadAll(bool tty, const std::string& bytes, size_t step) {
  DockerLogReader reader(tty);
  Read out;
  for (size_t i = 0; i < bytes.size() && out.status.ok(); i += step) {
    out.status =
        reader.Put(absl::string_view(bytes).substr(i, step),
                   [&](const DockerLogEntry& entry) { out.lines.push_back(ToCriLine(entry)); });
  }
  return out;
}

TEST(DockerLogTest, EntriesBecomeLinesWhateverTheCuts) {
  const std::string bytes = Frame(1, absl::StrCat(kStamp, " out\n")) +
                            Frame(2, absl::StrCat(kStamp, " half")) +
                            Frame(2, absl::StrCat(kStamp, " \n"));
  for (size_t step = 1; step <= bytes.size(); ++step) {
    const Read read = ReadAll(false, bytes, step);
    EXPECT_TRUE(read.status.ok()) << read.status;
    EXPECT_THAT(read.lines, ElementsAre(absl::StrCat(kStamp, " stdout F out\n"),
                                        absl::StrCat(kStamp, " stderr P half\n"),
                                        absl::StrCat(kStamp, " stderr F \n")));
  }
}

TEST(DockerLogTest, ATerminalsLongLineIsCutWhereDockerCutsIt) {
  const std::string text(16 << 10, 'x');
  const std::string bytes =
      absl::StrCat(kStamp, " a\r\n", kStamp, " ", text, kStamp, " end\n", kStamp, " not yet");
  for (const size_t step : {size_t{1}, size_t{7}, size_t{4096}, bytes.size()}) {
    const Read read = ReadAll(true, bytes, step);
    EXPECT_TRUE(read.status.ok()) << read.status;
    EXPECT_THAT(read.lines, ElementsAre(absl::StrCat(kStamp, " stdout F a\r\n"),
                                        absl::StrCat(kStamp, " stdout P ", text, "\n"),
                                        absl::StrCat(kStamp, " stdout F end\n")));
  }
}

TEST(DockerLogTest, WhatIsNoStreamIsAnError) {
  EXPECT_FALSE(ReadAll(false, Frame(9, "x"), 100).status.ok());
  EXPECT_FALSE(ReadAll(false, {1, 0, 0, 0, '\x7f', 0, 0, 0, 'x'}, 100).status.ok());
  EXPECT_FALSE(ReadAll(false, Frame(1, "no time\n"), 100).status.ok());
  EXPECT_FALSE(ReadAll(false, Frame(1, std::string(100, 'x')), 100).status.ok());
  EXPECT_FALSE(ReadAll(true, std::string(100, 'x'), 100).status.ok());
  EXPECT_THAT(std::string(ReadAll(false, Frame(3, "the log is gone"), 100).status.message()),
              HasSubstr("the log is gone"));
}

TEST(DockerLogTest, GoesOnWhereTheCopyEnds) {
  const std::string earlier = "2016-10-06T00:17:09.000000001Z";
  const std::string copy =
      absl::StrCat("cut off here\n", earlier, " stdout F 0\n", kStamp, " stdout F 1\n", kStamp,
                   " stderr F 2\n", kStamp, " stdout F to");
  const LogPosition position = FindPosition(copy);
  EXPECT_EQ(position, (LogPosition{kStamp, 2}));
  EXPECT_EQ(SinceOf(position), "1475713029.669794202");
  LogResumer resumer(position);
  const auto entry = [](absl::string_view stamp) {
    return DockerLogEntry{false, stamp, "x", false};
  };
  EXPECT_FALSE(resumer.Take(entry(kStamp)));
  EXPECT_FALSE(resumer.Take(entry(kStamp)));
  EXPECT_TRUE(resumer.Take(entry(kStamp)));  // The torn one.
  EXPECT_EQ(resumer.position().lines, 3u);
  const std::string later = "2016-10-06T00:17:10.000000000Z";
  EXPECT_TRUE(resumer.Take(entry(later)));
  EXPECT_EQ(resumer.position(), (LogPosition{later, 1}));
}

TEST(DockerLogTest, AnEmptyCopyBeginsAtTheBeginning) {
  EXPECT_EQ(SinceOf(FindPosition("")), "");
  LogResumer resumer(FindPosition(""));
  EXPECT_TRUE(resumer.Take({false, kStamp, "x", false}));
}

// Docker has rotated away what the copy ends with.
TEST(DockerLogTest, AGapIsNoReasonToLeaveAnythingOut) {
  LogResumer resumer(LogPosition{kStamp, 5});
  const std::string later = "2016-10-06T00:17:10.000000000Z";
  EXPECT_TRUE(resumer.Take({false, later, "x", false}));
  EXPECT_TRUE(resumer.Take({false, kStamp, "x", false}));  // The clock was set back.
}

}  // namespace
}  // namespace skerry::edged
