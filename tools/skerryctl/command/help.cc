#include "tools/skerryctl/command/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/skerryctl/command/commands.h"

namespace skerry::skerryctl {
namespace {

constexpr size_t kLeftMax = 30;  // A longer left side has its text on the next line.

using Rows = std::vector<std::pair<std::string, std::string>>;

// Left and right side, below a heading.
std::string Section(absl::string_view heading, const Rows& rows) {
  if (rows.empty()) return "";
  size_t width = 0;
  for (const auto& [left, right] : rows)
    width = std::max(width, left.size() > kLeftMax ? 0 : left.size());
  std::string out = absl::StrCat("\n", heading, ":\n");
  const size_t indent = width + 4;
  for (const auto& [left, right] : rows) {
    absl::StrAppend(&out, "  ", left);
    if (left.size() > width) {
      absl::StrAppend(&out, "\n", std::string(indent, ' '));
    } else {
      out.append(indent - 2 - left.size(), ' ');
    }
    absl::StrAppend(&out, Wrapped(right, indent, indent), "\n");
  }
  return out;
}

// "-o, --output".
std::string Spelling(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return absl::StrJoin(names, ", ");
}

std::string Explained(const CLI::Option& option) {
  std::string text = option.get_description();
  const std::string fallback = option.get_default_str();
  std::vector<std::string> notes;
  if (option.get_required()) notes.push_back("required");
  if (!fallback.empty() && fallback != "[]" && fallback != "\"\"" && fallback != "false")
    notes.push_back(absl::StrCat("default ", fallback));
  if (!option.get_envname().empty()) notes.push_back(absl::StrCat("$", option.get_envname()));
  if (!notes.empty()) absl::StrAppend(&text, " (", absl::StrJoin(notes, ", "), ")");
  return text;
}

bool IsFlag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

// "skerryctl device call <device> <method> [arguments...] [flags]".
std::string Synopsis(const CLI::App& command) {
  std::string text = PathOf(command);
  if (!command.get_subcommands({}).empty()) return text + " <command> ...";
  bool flags = false;
  for (const CLI::Option* option : command.get_options({})) {
    if (!option->get_positional()) {
      flags = true;
      continue;
    }
    const std::string name =
        absl::StrCat(option->get_name(true), option->get_items_expected_max() > 1 ? "..." : "");
    absl::StrAppend(
        &text, " ",
        option->get_required() ? absl::StrCat("<", name, ">") : absl::StrCat("[", name, "]"));
  }
  return flags ? text + " [flags]" : text;
}

// Commands of groups are listed whole: "token create".
void AddCommands(const CLI::App& group, const std::string& prefix, Rows& rows) {
  for (const CLI::App* command : group.get_subcommands({})) {
    const std::string name = prefix + command->get_name();
    if (command->get_subcommands({}).empty()) {
      rows.emplace_back(name, command->get_description());
    } else {
      AddCommands(*command, name + " ", rows);
    }
  }
}

class Formatter final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    std::string out = absl::StrCat(Wrapped(app->get_description(), 0, 0),
                                   "\n\nUsage: ", Wrapped(Synopsis(*app), 7, 7), "\n");
    if (app->get_parent() != nullptr) {
      Rows rows;
      AddCommands(*app, "", rows);
      absl::StrAppend(&out, Section("Commands", rows));
    } else {
      absl::StrAppend(&out, Commands(*app));
    }
    Rows arguments, flags;
    for (const CLI::Option* option : app->get_options({})) {
      if (option->get_group().empty()) continue;
      if (option->get_positional()) {
        arguments.emplace_back(option->get_name(true), Explained(*option));
      } else {
        flags.emplace_back(Spelling(*option) + (IsFlag(*option) ? "" : " <value>"),
                           Explained(*option));
      }
    }
    absl::StrAppend(&out, Section("Arguments", arguments), Section("Flags", flags));
    if (!app->get_footer().empty()) absl::StrAppend(&out, "\n", app->get_footer(), "\n");
    return out;
  }

 private:
  // By their sections, in the order in which those first appear.
  static std::string Commands(const CLI::App& root) {
    std::vector<std::string> sections;
    for (const CLI::App* command : root.get_subcommands({})) {
      const std::string section = command->get_group();
      if (!section.empty() &&
          std::find(sections.begin(), sections.end(), section) == sections.end())
        sections.push_back(section);
    }
    std::string out;
    for (const std::string& section : sections) {
      Rows rows;
      for (const CLI::App* command : root.get_subcommands({})) {
        if (command->get_group() != section) continue;
        if (command->get_subcommands({}).empty()) {
          rows.emplace_back(command->get_name(), command->get_description());
        } else {
          AddCommands(*command, command->get_name() + " ", rows);
        }
      }
      absl::StrAppend(&out, Section(section, rows));
    }
    return out;
  }
};

}  // namespace

void UseHelp(CLI::App& root) {
  root.set_help_flag("-h,--help", "print this");
  root.formatter(std::make_shared<Formatter>());
}

std::string Wrapped(absl::string_view text, size_t indent, size_t used) {
  std::string out;
  bool first = true;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!first && used + 1 + word.size() > kHelpColumns) {
      absl::StrAppend(&out, "\n", std::string(indent, ' '));
      used = indent;
    } else if (!first) {
      out.push_back(' ');
      ++used;
    }
    absl::StrAppend(&out, word);
    used += word.size();
    first = false;
  }
  return out;
}

}  // namespace skerry::skerryctl
