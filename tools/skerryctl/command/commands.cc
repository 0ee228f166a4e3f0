#include "tools/skerryctl/command/commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/skerryctl/command/help.h"
#include "tools/skerryctl/command/nearest.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

std::vector<std::string> FlagsOf(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
    for (const std::string& name : option->get_snames()) out.push_back("-" + name);
  }
  return out;
}

absl::Status Usage(absl::string_view expected, absl::string_view seen, absl::string_view fix,
                   absl::string_view reason) {
  return ToStatus({.exit_code = ExitCode::kUsage,
                   .step = "read the arguments",
                   .expected = std::string(expected),
                   .seen = std::string(seen),
                   .fix = std::string(fix),
                   .reason = std::string(reason)});
}

std::string HelpFor(const CLI::App& command) {
  const std::string path = PathOf(command);
  const size_t space = path.find(' ');
  return space == std::string::npos
             ? absl::StrCat(path, " help")
             : absl::StrCat(path.substr(0, space), " help", path.substr(space));
}

}  // namespace

Commands::Commands(const std::string& name, const std::string& about)
    : root_(std::make_unique<CLI::App>(about, name)) {
  root_->require_subcommand(0, 1);
  UseHelp(*root_);
}

Commands::~Commands() = default;

CLI::App& Commands::AddGroup(const std::string& name, const std::string& about,
                             const std::string& section) {
  return *root_->add_subcommand(name, about)->group(section)->require_subcommand(1);
}

CLI::App& Commands::Add(const std::string& name, const std::string& about,
                        const std::string& section, Run run) {
  CLI::App& command = AddTo(*root_, name, about, std::move(run));
  command.group(section);
  return command;
}

CLI::App& Commands::AddTo(CLI::App& group, const std::string& name, const std::string& about,
                          Run run) {
  CLI::App* command = group.add_subcommand(name, about);
  // Else CLI11 reads the environment for commands that were not named, and a variable of theirs
  // writes over the flag of the one that was.
  command->parse_complete_callback([] {});
  runs_[command] = std::move(run);
  return *command;
}

void Commands::Offer(const CLI::Option* option, Values values) {
  values_[option] = std::move(values);
}

const Values* Commands::Offered(const CLI::Option* option) const {
  const auto known = values_.find(option);
  return known == values_.end() ? nullptr : &known->second;
}

const CLI::App* Commands::Chosen() const {
  const CLI::App* command = root_.get();
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return command;
}

// Says the first thing that nobody takes; else what CLI11 says of a flag.
absl::Status Commands::Wrong(absl::string_view what) const {
  for (const CLI::App* command = root_.get();;) {
    for (const std::string& word : command->remaining()) {
      const bool is_flag = absl::StartsWith(word, "-");
      const std::string name = word.substr(0, word.find('='));
      const std::string path = PathOf(*command);
      if (is_flag) {
        const std::vector<std::string> inner = FlagsOf(*Chosen());
        const bool early = std::find(inner.begin(), inner.end(), name) != inner.end();
        const std::string near = Nearest(name, FlagsOf(*command));
        return Usage(absl::StrCat("a flag of '", path, "'"), name,
                     early          ? absl::StrCat("give it after '", PathOf(*Chosen()), "'")
                     : near.empty() ? HelpFor(*command)
                                    : absl::StrCat("did you mean ", near, "?"),
                     "FLAG_UNKNOWN");
      }
      const bool group = !command->get_subcommands({}).empty();
      const std::string near = group ? Nearest(word, NamesOf(*command)) : "";
      return Usage(group ? absl::StrCat("a command after '", path, "'")
                         : absl::StrCat("no more arguments of '", path, "'"),
                   word,
                   near.empty() ? HelpFor(*command) : absl::StrCat("did you mean '", near, "'?"),
                   group ? "COMMAND_UNKNOWN" : "ARGUMENT_UNKNOWN");
    }
    if (command->get_subcommands().empty()) break;
    command = command->get_subcommands().front();
  }
  const CLI::App& command = *Chosen();
  if (runs_.count(&command) == 0) {
    return Usage(absl::StrCat("a command after '", PathOf(command),
                              "': ", absl::StrJoin(NamesOf(command), ", ")),
                 "none", HelpFor(command), "COMMAND_MISSING");
  }
  return Usage(absl::StrCat("the flags and arguments of '", PathOf(command), "'"), what,
               HelpFor(command), "ARGUMENTS_WRONG");
}

absl::Status Commands::Parse(const std::vector<std::string>& words) {
  only_help_ = false;
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    root_->parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return Wrong(error.what());
    only_help_ = true;
    root_->exit(error);
    return absl::OkStatus();
  }
  if (runs_.count(Chosen()) == 0) return Wrong("");
  return absl::OkStatus();
}

int Commands::Main(int argc, char** argv) {
  absl::Status result = Parse({argv + 1, argv + argc});
  if (result.ok() && only_help_) return 0;
  if (result.ok()) result = runs_.at(Chosen())();
  if (result.ok()) return 0;
  const StepError error = FromStatus(result);
  std::cout << std::flush;
  std::cerr << Describe(error);
  return static_cast<int>(error.exit_code);
}

std::vector<std::string> NamesOf(const CLI::App& group) {
  std::vector<std::string> out;
  for (const CLI::App* command : group.get_subcommands({})) out.push_back(command->get_name());
  return out;
}

const CLI::App* FindCommand(const CLI::App& group, absl::string_view name) {
  for (const CLI::App* command : group.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

std::string PathOf(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name()
                           : absl::StrCat(PathOf(*parent), " ", command.get_name());
}

}  // namespace skerry::skerryctl
