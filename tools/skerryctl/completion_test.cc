#include "tools/skerryctl/completion.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "services/lib/testing/temp_dir.h"

namespace skerry::skerryctl {
namespace {

// What Bash itself completes after `line`, whose last word is being typed; one a line.
std::string Completed(const std::string& script, const std::string& words) {
  testing::TempDir dir;
  const std::string file =
      dir.Write("complete.bash", script + "COMP_WORDS=(" + words +
                                     ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_skerryctl\n"
                                     "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
  std::string out;
  FILE* pipe = popen(("bash --norc " + file + " 2>&1").c_str(), "r");
  char part[4096];
  for (size_t got = 0; (got = fread(part, 1, sizeof(part), pipe)) > 0;) out.append(part, got);
  EXPECT_EQ(pclose(pipe), 0) << out;
  return out;
}

TEST(CompletionTest, SubcommandsAndOptions) {
  CLI::App app("", "skerryctl");
  std::string text;
  CLI::App* token = app.add_subcommand("token", "");
  CLI::App* create = token->add_subcommand("create", "");
  token->add_subcommand("list", "");
  create->add_option("--ttl", text, "");
  create->add_option("-n,--node", text, "");
  app.add_subcommand("top", "");
  const std::string script = BashCompletion(app);
  EXPECT_EQ(Completed(script, "skerryctl to"), "token\ntop\n");
  EXPECT_EQ(Completed(script, "skerryctl token l"), "list\n");
  EXPECT_EQ(Completed(script, "skerryctl token create --t"), "--ttl\n");
  EXPECT_EQ(Completed(script, "skerryctl token create --ttl 5m --no"), "--node\n");
  EXPECT_EQ(Completed(script, "skerryctl token create --x"), "\n");
}

}  // namespace
}  // namespace skerry::skerryctl
