#include "services/lib/testing/script_test.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::testing {
namespace {

ScriptHandler NewCounter() {
  return [sum = int64_t{0}](const ScriptCommand& command) mutable -> std::string {
    if (command.name == "add") sum += command.Int("by");
    if (command.name == "show") return absl::StrCat(sum);
    if (command.name != "say") return "";
    std::string out;
    for (const std::string& word : command.words) absl::StrAppend(&out, word, "\n");
    for (const auto& [key, value] : command.args) absl::StrAppend(&out, key, "=", value, "\n");
    return out;
  };
}

TEST(ScriptTest, RunsTheFilesOfAFolder) { RunScripts("services/lib/testing/testdata", NewCounter); }

TEST(RunScriptTextTest, ReplacesExpectedOutputAndKeepsTheRest) {
  const std::string text = "# why\nadd by=1\nshow\n----\nold\nlines\n\n\n# next\nshow\n----\n";
  EXPECT_EQ(RunScriptText("x.txt", text, NewCounter()),
            "# why\nadd by=1\nshow\n----\n1\n\n\n# next\nshow\n----\n1\n");
}

TEST(RunScriptTextTest, RefusesBrokenScripts) {
  EXPECT_NONFATAL_FAILURE(RunScriptText("x.txt", "show\n----\n0\n\nshow\n", NewCounter()),
                          "no ----");
  EXPECT_NONFATAL_FAILURE(RunScriptText("x.txt", "# nothing\n", NewCounter()), "no case");
  EXPECT_NONFATAL_FAILURE(RunScriptText("x.txt", "add\n----\n", NewCounter()), "lacks by=");
  EXPECT_NONFATAL_FAILURE(RunScriptText("x.txt", "add by=x\n----\n", NewCounter()),
                          "must be a number");
}

TEST(RunScriptsTest, FailsWithoutScripts) {
  EXPECT_FATAL_FAILURE(RunScripts("services/lib/testing/nowhere", NewCounter), "no scripts");
}

}  // namespace
}  // namespace skerry::testing
