#include "tools/skerryctl/completion.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace skerry::skerryctl {
namespace {

// One line for each command: its path, and what may follow. Names are ours: letters, digits, '-'.
void AddCases(const CLI::App& command, const std::string& path, std::string& out) {
  std::vector<std::string> words;
  for (const CLI::App* child : command.get_subcommands({})) words.push_back(child->get_name());
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.push_back("-" + name);
  }
  absl::StrAppend(&out, "    '", path, "') words='", absl::StrJoin(words, " "), "' ;;\n");
  for (const CLI::App* child : command.get_subcommands({})) {
    AddCases(*child, absl::StrCat(path, " ", child->get_name()), out);
  }
}

void AddPaths(const CLI::App& command, const std::string& path, std::vector<std::string>& out) {
  for (const CLI::App* child : command.get_subcommands({})) {
    const std::string name = absl::StrCat(path, " ", child->get_name());
    out.push_back(absl::StrCat("'", name, "'"));
    AddPaths(*child, name, out);
  }
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  std::string cases;
  AddCases(app, app.get_name(), cases);
  std::vector<std::string> paths;
  AddPaths(app, app.get_name(), paths);
  const std::string function = absl::StrCat("_", app.get_name());
  return absl::StrCat(
      "# Bash completion of ", app.get_name(), ": source <(", app.get_name(), " completion bash)\n",
      function, "() {\n  local path='", app.get_name(), "' words='' word at\n",
      "  for ((at = 1; at < COMP_CWORD; at++)); do\n    word=${COMP_WORDS[at]}\n",
      "    case \"$path $word\" in\n      ", absl::StrJoin(paths, "|"),
      ") path=\"$path $word\" ;;\n    esac\n  done\n  case \"$path\" in\n", cases,
      "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n",
      "complete -o default -F ", function, " ", app.get_name(), "\n");
}

}  // namespace skerry::skerryctl
