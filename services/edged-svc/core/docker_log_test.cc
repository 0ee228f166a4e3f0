#include "services/edged-svc/core/docker_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

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

// Bytes that are no UTF-8 are longer in Docker's log than where it cut the line.
TEST(DockerLogTest, ATerminalsLineThatIsCutWithinACharacter) {
  const std::string text(16 << 10, 'x');
  const std::string bytes =
      absl::StrCat(kStamp, " ", text, "\xEF\xBF\xBD", kStamp, " \xEF\xBF\xBDy\n", kStamp, " z\n");
  for (const size_t step : {size_t{1}, size_t{7}, bytes.size()}) {
    const Read read = ReadAll(true, bytes, step);
    EXPECT_TRUE(read.status.ok()) << read.status;
    EXPECT_THAT(read.lines, ElementsAre(absl::StrCat(kStamp, " stdout P ", text, "\xEF\xBF\xBD\n"),
                                        absl::StrCat(kStamp, " stdout F \xEF\xBF\xBDy\n"),
                                        absl::StrCat(kStamp, " stdout F z\n")));
  }
}

TEST(DockerLogTest, ATerminalsLineHasABound) {
  EXPECT_FALSE(
      ReadAll(true, absl::StrCat(kStamp, " ", std::string(60 << 10, 'x')), 4096).status.ok());
}

// A log of entries as Docker's file has them: "<seconds of the stamp> <text>".
struct Log {
  std::vector<std::pair<std::string, std::string>> entries;  // Stamp, text.

  void Add(int second, const std::string& text) {
    entries.emplace_back(
        absl::StrFormat("2016-10-06T00:%02d:%02d.000000000Z", second / 60, second % 60), text);
  }
  // What a copy that has the first `copied` lines of it, and was resumed, consists of.
  std::vector<std::string> Resume(size_t copied, LogResumer::Begin begin,
                                  const std::string& torn = "") const {
    std::string copy;
    std::vector<std::string> texts;
    for (size_t i = 0; i < copied; ++i) {
      absl::StrAppend(&copy, ToCriLine({false, entries[i].first, entries[i].second, false}));
      texts.push_back(entries[i].second);
    }
    copy += torn;
    const LogPosition position = FindPosition(copy);
    const std::string since = SinceOf(position);
    LogResumer resumer(position, begin);
    for (const auto& [stamp, text] : entries) {
      // Docker leaves out what is older, wherever it is in its file.
      absl::Time time;
      EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, stamp, &time, nullptr));
      double seconds = 0;
      if (!since.empty() && absl::SimpleAtod(since, &seconds) &&
          absl::ToUnixSeconds(time) < seconds)
        continue;
      if (resumer.Take({false, stamp, text, false})) texts.push_back(text);
    }
    return texts;
  }
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const auto& [stamp, text] : entries) texts.push_back(text);
    return texts;
  }
};

TEST(DockerLogTest, GoesOnWhereTheCopyEndsInDockersOrder) {
  Log log;
  // Both streams write, a line has parts of one stamp, the same again, and a clock that goes back.
  for (const auto& [second, text] : std::vector<std::pair<int, std::string>>{{60, "a"},
                                                                             {62, "b"},
                                                                             {61, "c"},
                                                                             {62, "part"},
                                                                             {62, "part"},
                                                                             {61, "err"},
                                                                             {62, "part"},
                                                                             {62, "end"},
                                                                             {70, "d"},
                                                                             {64, "e"},
                                                                             {70, "d"},
                                                                             {71, "f"}}) {
    log.Add(second, text);
  }
  for (size_t copied = 0; copied <= log.entries.size(); ++copied) {
    EXPECT_EQ(log.Resume(copied, LogResumer::Begin::kBehindLast), log.Texts()) << copied;
    EXPECT_EQ(log.Resume(copied, LogResumer::Begin::kBehindLast, "2016-10-06T00:01:0"), log.Texts())
        << copied;
  }
}

// Docker has rotated away what the copy ends with: nothing is found, and then what is newer is
// taken.
TEST(DockerLogTest, AGapIsNoReasonToLeaveOutWhatIsNewer) {
  Log before, after;
  before.Add(60, "a");
  before.Add(61, "b");
  after.Add(61, "other");
  after.Add(65, "c");
  after.Add(64, "d");
  std::string copy;
  for (const auto& [stamp, text] : before.entries)
    absl::StrAppend(&copy, ToCriLine({false, stamp, text, false}));
  LogResumer first(FindPosition(copy), LogResumer::Begin::kBehindLast);
  LogResumer second(FindPosition(copy), LogResumer::Begin::kNewer);
  std::vector<std::string> taken;
  for (const auto& [stamp, text] : after.entries) {
    EXPECT_FALSE(first.Take({false, stamp, text, false}));
    if (second.Take({false, stamp, text, false})) taken.push_back(text);
  }
  EXPECT_FALSE(first.found());
  EXPECT_THAT(taken, ElementsAre("c", "d"));
}

TEST(DockerLogTest, AnEmptyCopyBeginsAtTheBeginning) {
  EXPECT_EQ(SinceOf(FindPosition("")), "");
  LogResumer resumer(FindPosition(""), LogResumer::Begin::kBehindLast);
  EXPECT_TRUE(resumer.found());
  EXPECT_TRUE(resumer.Take({false, kStamp, "x", false}));
}

TEST(DockerLogTest, SinceIsALittleEarlier) {
  EXPECT_EQ(SinceOf(FindPosition(absl::StrCat(kStamp, " stdout F x\n"))), "1475713019.669794202");
}

}  // namespace
}  // namespace skerry::edged
