#include "tools/skerryctl/command/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/command/help.h"
#include "tools/skerryctl/command/nearest.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() : commands_("skerryctl", "Operate it.") {
    CLI::App& join = commands_.Add("join", "make this box a node", "On a box", Nothing);
    join.add_option("--cloud", text_, std::string(150, 'x') + " the hub's join port")->required();
    join.add_option("--node-name", text_, "its name")->capture_default_str();
    join.add_option("--ttl", number_, "time")->check(CLI::Range(1, 9));
    CLI::App& token = commands_.AddGroup("token", "tokens", "In the cloud");
    commands_.AddTo(token, "create",
                    "make a token, and print it, as often as it is asked for, "
                    "until the world ends or somebody presses a key",
                    Nothing);
    commands_.AddTo(token, "list", "list them", Nothing);
    CLI::App& get = commands_.Add("get", "print objects", "On a box", Nothing);
    get.add_option("kind", text_, "what")->required();
  }
  static absl::Status Nothing() { return absl::OkStatus(); }

  // What is said of a line: "reason: seen: fix".
  std::string Said(const std::vector<std::string>& words) {
    const StepError error = FromStatus(commands_.Parse(words));
    EXPECT_EQ(error.exit_code, ExitCode::kUsage);
    return error.reason + ": " + error.seen + ": " + error.fix;
  }

  std::string text_;
  int number_ = 1;
  Commands commands_;
};

TEST_F(CommandsTest, GoodLines) {
  EXPECT_THAT(commands_.Parse({"join", "--cloud", "x"}), IsOk());
  EXPECT_THAT(commands_.Parse({"token", "list"}), IsOk());
}

TEST_F(CommandsTest, SaysWhatWasMeant) {
  EXPECT_EQ(Said({"join", "--cluod", "x"}), "FLAG_UNKNOWN: --cluod: did you mean --cloud?");
  EXPECT_EQ(Said({"join", "--cloud=x", "--node=y"}),
            "FLAG_UNKNOWN: --node: did you mean --node-name?");
  EXPECT_EQ(Said({"join", "--cloud=x", "--zzzzzz"}), "FLAG_UNKNOWN: --zzzzzz: skerryctl help join");
  EXPECT_EQ(Said({"--cloud", "x", "join"}),
            "FLAG_UNKNOWN: --cloud: give it after 'skerryctl join'");
  EXPECT_EQ(Said({"jion"}), "COMMAND_UNKNOWN: jion: did you mean 'join'?");
  EXPECT_EQ(Said({"token", "lst"}), "COMMAND_UNKNOWN: lst: did you mean 'list'?");
  EXPECT_EQ(Said({"token"}), "COMMAND_MISSING: none: skerryctl help token");
  EXPECT_EQ(Said({}), "COMMAND_MISSING: none: skerryctl help");
  EXPECT_EQ(Said({"get", "pods", "more"}), "ARGUMENT_UNKNOWN: more: skerryctl help get");
}

TEST_F(CommandsTest, SaysWhatIsWrongWithAFlag) {
  EXPECT_THAT(commands_.Parse({"join"}), HasReason("ARGUMENTS_WRONG"));
  EXPECT_THAT(Said({"join"}), HasSubstr("--cloud is required"));
  EXPECT_THAT(Said({"join", "--cloud", "x", "--ttl", "10"}), HasSubstr("--ttl"));
}

TEST_F(CommandsTest, HelpFitsIntoAHundredColumns) {
  const std::string help = commands_.root().help();
  EXPECT_THAT(help, HasSubstr("On a box:\n  join  make this box a node\n  get   print objects\n"));
  EXPECT_THAT(help, HasSubstr("In the cloud:\n  token create  make a token, and print it"));
  const std::string join = commands_.root().get_subcommand("join")->help();
  EXPECT_THAT(join, HasSubstr("Usage: skerryctl join [flags]\n"));
  for (const std::string& text : {help, commands_.root().get_subcommand("token")->help()}) {
    for (const absl::string_view line : absl::StrSplit(text, '\n'))
      EXPECT_LE(line.size(), kHelpColumns) << line;
  }
}

TEST(NearestTest, OnlyWhatIsNear) {
  const std::vector<std::string> flags = {"--node", "--node-name", "--token", "--ca"};
  EXPECT_EQ(Nearest("--nodename", flags), "--node-name");
  EXPECT_EQ(Nearest("--tokne", flags), "--token");
  EXPECT_EQ(Nearest("--quite-another", flags), "");
  EXPECT_EQ(Nearest("-", flags), "");
  EXPECT_EQ(Nearest(std::string(100, 'a'), flags), "");
}

// Commands that share a flag share its variable, too: that of one must not write over the flag of
// another.
TEST(CommandsVariablesTest, AFlagBeatsItsVariable) {
  Commands commands("skerryctl", "Operate it.");
  std::string cert;
  CLI::App& token = commands.AddGroup("token", "tokens", "In the cloud");
  for (const char* name : {"create", "list", "revoke"}) {
    commands.AddTo(token, name, "does it", [] { return absl::OkStatus(); })
        .add_option("--cert", cert, "file")
        ->envname("SKERRY_TEST_CERT");
  }
  ASSERT_EQ(setenv("SKERRY_TEST_CERT", "of-the-variable", 1), 0);
  EXPECT_THAT(commands.Parse({"token", "list", "--cert", "of-the-flag"}), IsOk());
  EXPECT_EQ(cert, "of-the-flag");
  EXPECT_THAT(commands.Parse({"token", "list"}), IsOk());
  EXPECT_EQ(cert, "of-the-variable");
  unsetenv("SKERRY_TEST_CERT");
}

}  // namespace
}  // namespace skerry::skerryctl
