#include "tools/skerryctl/command/completion.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace skerry::skerryctl {
namespace {

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() : commands_("skerryctl", "") {
    CLI::App& token = commands_.AddGroup("token", "tokens", "Cloud");
    CLI::App& create =
        commands_.AddTo(token, "create", "make one", [] { return absl::OkStatus(); });
    commands_.AddTo(token, "list", "", [] { return absl::OkStatus(); });
    create.add_option("--ttl", text_, "time");
    create.add_option("-n,--node", text_, "node");
    create.add_flag("--single-use", flag_, "once");
    CLI::App& get = commands_.Add("get", "objects", "Box", [] { return absl::OkStatus(); });
    commands_.Offer(get.add_option("kind", text_, "")->required(), {.words = {"pods", "nodes"}});
    commands_.Offer(get.add_option("name", text_, ""), {.ask = [](const Given& given) {
                      return std::vector<std::string>{
                          given.arguments.at(0) + "-1", "x\x1b[2J",
                          given.flags.count("all") != 0 ? "all" : "one"};
                    }});
    commands_.Offer(get.add_option("-o,--output", text_, ""), {.words = {"json", "yaml"}});
    commands_.Offer(get.add_option("--logs", files_, ""), {.path = Values::Path::kFile});
    get.add_flag("--all", flag_, "");
  }

  std::string After(std::vector<std::string> words) {
    return CompletionLines(Complete(commands_, words));
  }

  std::string text_;
  std::vector<std::string> files_;
  bool flag_ = false;
  Commands commands_;
};

TEST_F(CompletionTest, CommandsWithWhatTheyDo) {
  EXPECT_EQ(After({"to"}), "none\ntoken\ttokens\n");
  EXPECT_EQ(After({"token", ""}), "none\ncreate\tmake one\nlist\t\n");
  EXPECT_EQ(After({"token", "x"}), "none\n");
  EXPECT_EQ(After({}), "none\ntoken\ttokens\nget\tobjects\n");
}

TEST_F(CompletionTest, FlagsOnce) {
  EXPECT_EQ(After({"token", "create", "--t"}), "none\n--ttl\ttime\n");
  EXPECT_EQ(After({"token", "create", "--ttl", "5m", "--"}),
            "none\n--help\tprint this\n--node\tnode\n--single-use\tonce\n");
  EXPECT_EQ(After({"token", "create", "--ttl=5m", "--s"}), "none\n--single-use\tonce\n");
  EXPECT_EQ(After({"token", "create", "--single-use", "--n"}), "none\n--node\tnode\n");
  EXPECT_EQ(After({"token", "create", "-n"}), "none\n-n\tnode\n");
}

TEST_F(CompletionTest, ValuesOfFlagsAndArguments) {
  EXPECT_EQ(After({"token", "create", "--ttl", ""}), "none\n");
  EXPECT_EQ(After({"get", "-o", "y"}), "none\nyaml\t\n");
  EXPECT_EQ(After({"get", "--output=j"}), "none\n--output=json\t\n");
  EXPECT_EQ(After({"get", ""}), "none\npods\t\nnodes\t\n");
  EXPECT_EQ(After({"get", "-o", "json", "p"}), "none\npods\t\n");
  EXPECT_EQ(After({"get", "--logs", "a", "b"}), "file\n");
}

TEST_F(CompletionTest, NamesOfServicesWithoutWhatAShellObeys) {
  EXPECT_EQ(After({"get", "pods", ""}), "none\npods-1\t\none\t\n");
  EXPECT_EQ(After({"get", "--all", "nodes", ""}), "none\nnodes-1\t\nall\t\n");
}

}  // namespace
}  // namespace skerry::skerryctl
