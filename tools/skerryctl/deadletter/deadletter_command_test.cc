#include "tools/skerryctl/deadletter/deadletter_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

router::v1::DeadLetter Letter(int id) {
  router::v1::DeadLetter letter;
  letter.set_name("deadLetters/" + std::to_string(id));
  letter.set_rule("namespaces/default/rules/alarms");
  letter.set_node("edge-1");
  letter.set_source("default/alarms");
  letter.set_payload_bytes(5);
  letter.mutable_dead_time()->set_seconds(absl::ToUnixSeconds(kNow) - 90);
  letter.set_error("the target answered 422\x1b[2J");
  return letter;
}

TEST(DeadLetterCommandTest, Names) {
  EXPECT_THAT(LetterNameOf("17"), IsOkAndHolds("deadLetters/17"));
  EXPECT_THAT(LetterNameOf("deadLetters/17"), IsOkAndHolds("deadLetters/17"));
  for (const char* text : {"", "0", "-1", "x", "deadLetters/", "letters/1"}) {
    EXPECT_EQ(FromStatus(LetterNameOf(text).status()).exit_code, ExitCode::kUsage) << text;
  }
  EXPECT_THAT(RuleNameOf("default", "alarms"), IsOkAndHolds("namespaces/default/rules/alarms"));
  EXPECT_THAT(RuleNameOf("default", "factory/alarms"),
              IsOkAndHolds("namespaces/factory/rules/alarms"));
  EXPECT_THAT(RuleNameOf("default", ""), IsOkAndHolds(""));
  EXPECT_THAT(RuleNameOf("", "alarms"), Not(IsOk()));
  for (const char* text : {"a/b/c", "/", "a/", "/b", "A/b"}) {
    EXPECT_EQ(FromStatus(RuleNameOf("default", text).status()).exit_code, ExitCode::kUsage) << text;
  }
}

TEST(DeadLetterCommandTest, ATableAndJson) {
  const LetterList list = {.letters = {Letter(3), Letter(4)}, .more = true};
  const std::string table = RenderLetters(list, kNow, Format::kTable);
  EXPECT_THAT(table, HasSubstr("3    default/alarms   edge-1   default/alarms   5       90s"));
  EXPECT_THAT(table, HasSubstr("the target answered 422"));
  EXPECT_THAT(table, HasSubstr("There are more"));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  const auto json = nlohmann::json::parse(RenderLetters(list, kNow, Format::kJson));
  EXPECT_EQ(json["more"], true);
  EXPECT_EQ(json["deadLetters"][1]["name"], "deadLetters/4");
  EXPECT_EQ(RenderLetters({}, kNow, Format::kTable), "No dead letters.\n");
}

// Fails for the letters that are full, gone, away and in doubt; notes what is told.
class LetterWorkTest : public ::testing::Test {
 protected:
  static absl::Status Handle(const std::string& name) {
    if (name == "full") return ToStatus({.reason = "RULE_QUEUE_FULL"});
    if (name == "gone") return ToStatus({.reason = "DEAD_LETTER_UNKNOWN"});
    if (name == "away") return ToStatus({.exit_code = ExitCode::kUnreachable});
    if (name == "doubt") return ToStatus({.reason = "COMMIT_IN_DOUBT"});
    return absl::OkStatus();
  }
  absl::Status Work(const std::vector<std::string>& names, bool tolerant = true) {
    return HandleLetters(names,
                         {.verb = "replayed",
                          .handle = Handle,
                          .interrupted = [this] { return told_.size() == told_max_; },
                          .tell = [this](const std::string& line) { told_.push_back(line); },
                          .tolerant = tolerant},
                         handled_);
  }
  std::string Text() { return RenderHandled(handled_, "replayed", Format::kTable); }
  nlohmann::json Json() {
    return nlohmann::json::parse(RenderHandled(handled_, "replayed", Format::kJson));
  }

  size_t told_max_ = 100;
  std::vector<std::string> told_;
  Handled handled_;
};

TEST_F(LetterWorkTest, EachIsToldAndThenTheCounts) {
  EXPECT_THAT(Work({"a", "gone", "b"}), IsOk());
  EXPECT_THAT(told_, ElementsAre("a replayed\n", "gone was gone\n", "b replayed\n"));
  EXPECT_EQ(Text(), "2 replayed, 1 gone\n");
  EXPECT_EQ(Json(), (nlohmann::json{{"replayed", {"a", "b"}},
                                    {"gone", {"gone"}},
                                    {"leftCount", 0},
                                    {"unanswered", nullptr}}));
}

TEST_F(LetterWorkTest, OneOrNoneNeedsNoCounts) {
  EXPECT_THAT(Work({"a"}), IsOk());
  EXPECT_THAT(told_, ElementsAre("a replayed\n"));
  EXPECT_EQ(Text(), "");
  EXPECT_THAT(Work({"full"}), Not(IsOk()));
  handled_ = {};
  EXPECT_THAT(Work({}), IsOk());
  EXPECT_EQ(Text(), "No dead letters.\n");
}

TEST_F(LetterWorkTest, AFailureEndsItAndWhatWasDoneIsSaid) {
  EXPECT_THAT(Work({"a", "full", "b"}), HasReason("RULE_QUEUE_FULL"));
  EXPECT_THAT(told_, ElementsAre("a replayed\n"));
  EXPECT_EQ(Text(), "1 replayed, 2 left\n");
  EXPECT_EQ(Json()["leftCount"], 2);
}

TEST_F(LetterWorkTest, AnInterruptEndsItBetweenTwo) {
  told_max_ = 2;
  const absl::Status ended = Work({"a", "gone", "b", "c"});
  EXPECT_THAT(ended, HasReason("INTERRUPTED"));
  EXPECT_EQ(FromStatus(ended).exit_code, ExitCode::kFailed);
  EXPECT_EQ(Text(), "1 replayed, 1 gone, 2 left\n");
}

TEST_F(LetterWorkTest, WhatHadNoAnswerIsNotKnown) {
  EXPECT_THAT(Work({"a", "away", "b"}), Not(IsOk()));
  EXPECT_EQ(Text(), "1 replayed, 2 left; of away there was no answer: it may be replayed\n");
  EXPECT_EQ(Json()["unanswered"], "away");
  handled_ = {};
  EXPECT_THAT(Work({"away"}), Not(IsOk()));
  EXPECT_EQ(Text(), "0 replayed, 1 left; of away there was no answer: it may be replayed\n");
}

TEST_F(LetterWorkTest, NorIsWhatTheDatabaseDidNotAnswerTo) {
  EXPECT_THAT(Work({"a", "doubt", "b"}), HasReason("COMMIT_IN_DOUBT"));
  EXPECT_EQ(Text(), "1 replayed, 2 left; of doubt there was no answer: it may be replayed\n");
}

TEST_F(LetterWorkTest, OneThatIsNamedMustBeThere) {
  EXPECT_THAT(Work({"gone", "a"}, false), HasReason("DEAD_LETTER_UNKNOWN"));
  EXPECT_THAT(told_, IsEmpty());
}

}  // namespace
}  // namespace skerry::skerryctl
