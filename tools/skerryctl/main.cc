// skerryctl: the operator's command, on the box and beside the hub.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/build_info.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/command/commands.h"
#include "tools/skerryctl/command/completion.h"

int main(int argc, char** argv) {
  using namespace skerry::skerryctl;
  Commands commands("skerryctl", "Operate Skerry: on a box, and beside the hub.");
  commands.root().set_version_flag("--version", absl::StrCat("skerryctl ", skerry::BuildVersion(),
                                                             " (", skerry::BuildCommit(), ")"));
  for (const auto add : {AddJoin, AddStatus, AddGet, AddTop, AddDoctor, AddBundle, AddToken,
                         AddNode, AddDevice, AddDeadLetter, AddDrain, AddCompletion, AddHelp}) {
    add(commands);
  }
  if (argc > 1 && std::string(argv[1]) == kCompleteWord) {
    std::cout << CompletionLines(
        Complete(commands, std::vector<std::string>(argv + 2, argv + argc)));
    return 0;
  }
  return commands.Main(argc, argv);
}
