// The table of skerryctl's commands: what parses them, explains them and completes them.
#ifndef SKERRY_TOOLS_SKERRYCTL_COMMAND_COMMANDS_H_
#define SKERRY_TOOLS_SKERRYCTL_COMMAND_COMMANDS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace skerry::skerryctl {

// What stands on the command line already, where a value is to be completed.
struct Given {
  std::vector<std::string> arguments;        // Without the commands' names and flags.
  std::map<std::string, std::string> flags;  // By long name, "namespace".
};

// What the value of a flag or argument can be.
struct Values {
  enum class Path { kNone, kFile, kFolder };
  std::vector<std::string> words;
  Path path = Path::kNone;
  // Asks services; quick, and empty where they are away.
  std::function<std::vector<std::string>(const Given& given)> ask;
};

// Used by one thread.
class Commands {
 public:
  using Run = std::function<absl::Status()>;

  Commands(const std::string& name, const std::string& about);
  ~Commands();

  CLI::App& root() { return *root_; }
  const CLI::App& root() const { return *root_; }
  // A word that commands follow: "token". `section`: its heading in help.
  CLI::App& AddGroup(const std::string& name, const std::string& about, const std::string& section);
  // A command of `root()`.
  CLI::App& Add(const std::string& name, const std::string& about, const std::string& section,
                Run run);
  // A command of a group.
  CLI::App& AddTo(CLI::App& group, const std::string& name, const std::string& about, Run run);

  // What completion offers for `option`; without it: nothing.
  void Offer(const CLI::Option* option, Values values);
  // Null where nothing was said of it.
  const Values* Offered(const CLI::Option* option) const;

  // Parses and runs; the exit code. Errors go to standard error, as StepErrors.
  int Main(int argc, char** argv);
  // What Main says of a wrong line: OK for a good one, and where only help or the version is
  // asked for, which is printed. Runs nothing.
  absl::Status Parse(const std::vector<std::string>& words);

 private:
  absl::Status Wrong(absl::string_view what) const;
  const CLI::App* Chosen() const;  // The innermost command that was named.

  std::unique_ptr<CLI::App> root_;
  std::map<const CLI::App*, Run> runs_;
  std::map<const CLI::Option*, Values> values_;
  bool only_help_ = false;
};

// What may follow a group's name.
std::vector<std::string> NamesOf(const CLI::App& group);
// Null where there is none.
const CLI::App* FindCommand(const CLI::App& group, absl::string_view name);
// "skerryctl token create".
std::string PathOf(const CLI::App& command);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_COMMAND_COMMANDS_H_
