#include "tools/skerryctl/deadletter/deadletter_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using ::testing::ElementsAre;
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

// Fails for the letter that is full and the one that is gone.
absl::Status Handle(const std::string& name) {
  if (name == "full") {
    return Error(absl::StatusCode::kResourceExhausted, "full").Reason("RULE_QUEUE_FULL");
  }
  if (name == "gone") {
    return Error(absl::StatusCode::kNotFound, "gone").Reason("DEAD_LETTER_UNKNOWN");
  }
  return absl::OkStatus();
}

TEST(DeadLetterCommandTest, AFailureEndsItAndWhatWasDoneIsSaid) {
  Handled handled;
  EXPECT_THAT(HandleLetters({"a", "full", "b"}, true, Handle, handled), Not(IsOk()));
  EXPECT_THAT(handled.names, ElementsAre("a"));
  EXPECT_EQ(RenderHandled(handled, "replayed", Format::kTable), "a replayed\n");
}

TEST(DeadLetterCommandTest, OfAllThoseThatAreGoneAreNoFailure) {
  Handled handled;
  EXPECT_THAT(HandleLetters({"a", "gone", "b"}, true, Handle, handled), IsOk());
  EXPECT_THAT(handled.names, ElementsAre("a", "b"));
  EXPECT_EQ(RenderHandled(handled, "dropped", Format::kTable),
            "a dropped\nb dropped\ngone was gone\n");
  const auto json = nlohmann::json::parse(RenderHandled(handled, "dropped", Format::kJson));
  EXPECT_EQ(json["dropped"].size(), 2u);
  EXPECT_EQ(json["gone"][0], "gone");
  handled = {};
  EXPECT_THAT(HandleLetters({"gone", "a"}, false, Handle, handled), Not(IsOk()));
  EXPECT_THAT(handled.names, IsEmpty());
}

}  // namespace
}  // namespace skerry::skerryctl
