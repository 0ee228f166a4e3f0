#include "tools/skerryctl/command/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skerry::skerryctl {
namespace {

const CLI::Option* FlagOf(const CLI::App& command, absl::string_view word) {
  for (const CLI::Option* option : command.get_options({})) {
    for (const std::string& name : option->get_lnames()) {
      if (word == absl::StrCat("--", name)) return option;
    }
    for (const std::string& name : option->get_snames()) {
      if (word == absl::StrCat("-", name)) return option;
    }
  }
  return nullptr;
}

std::string LongName(const CLI::Option& option) {
  return option.get_lnames().empty() ? "" : option.get_lnames().front();
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }
bool TakesMany(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

// What names on a box may have; nothing that a shell has to quote.
bool IsSafe(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("-_./:@,+%", absl::string_view(&c, 1));
  });
}

// Reads the words before the one that is typed.
class Line {
 public:
  explicit Line(const Commands& commands) : commands_(commands), command_(&commands.root()) {}

  void Read(const std::string& word) {
    if (awaited_ != nullptr && !(TakesMany(*awaited_) && absl::StartsWith(word, "-"))) {
      given_.flags[LongName(*awaited_)] = word;
      if (!TakesMany(*awaited_)) awaited_ = nullptr;
      return;
    }
    awaited_ = nullptr;
    if (word == "--" || flags_ended_) {
      if (flags_ended_) given_.arguments.push_back(word);
      flags_ended_ = true;
      return;
    }
    if (absl::StartsWith(word, "-")) return ReadFlag(word);
    if (const CLI::App* child = FindCommand(*command_, word); child != nullptr) {
      command_ = child;
    } else {
      given_.arguments.push_back(word);
    }
  }

  Completion Offer(const std::string& word) const {
    if (awaited_ != nullptr && !(TakesMany(*awaited_) && absl::StartsWith(word, "-")))
      return ValuesOf(*awaited_, "", word);
    const size_t equals = word.find('=');
    if (absl::StartsWith(word, "--") && !flags_ended_ && equals != std::string::npos) {
      const CLI::Option* flag = FlagOf(*command_, word.substr(0, equals));
      if (flag == nullptr || !TakesValue(*flag)) return {};
      return ValuesOf(*flag, word.substr(0, equals + 1), word.substr(equals + 1));
    }
    if (absl::StartsWith(word, "-") && !flags_ended_) return Flags(word);
    if (!command_->get_subcommands({}).empty()) return Names(word);
    size_t at = 0;
    for (const CLI::Option* option : command_->get_options({})) {
      if (!option->get_positional()) continue;
      if (at++ == given_.arguments.size() || TakesMany(*option)) return ValuesOf(*option, "", word);
    }
    return Flags("");
  }

 private:
  void ReadFlag(const std::string& word) {
    const size_t equals = word.find('=');
    const CLI::Option* flag = FlagOf(*command_, word.substr(0, equals));
    if (flag == nullptr) return;
    if (equals != std::string::npos) {
      given_.flags[LongName(*flag)] = word.substr(equals + 1);
    } else if (TakesValue(*flag)) {
      awaited_ = flag;
    } else {
      given_.flags[LongName(*flag)] = "true";
    }
  }

  Completion ValuesOf(const CLI::Option& option, const std::string& prefix,
                      const std::string& word) const {
    Completion out;
    const Values* values = commands_.Offered(&option);
    if (values == nullptr) return out;
    out.path = values->path;
    std::vector<std::string> words = values->words;
    if (values->ask) {
      for (std::string& name : values->ask(given_)) {
        if (IsSafe(name)) words.push_back(std::move(name));
      }
    }
    for (const std::string& value : words) {
      if (absl::StartsWith(value, word)) out.candidates.push_back({prefix + value, ""});
    }
    return out;
  }

  Completion Names(const std::string& word) const {
    Completion out;
    for (const CLI::App* child : command_->get_subcommands({})) {
      if (absl::StartsWith(child->get_name(), word))
        out.candidates.push_back({child->get_name(), child->get_description()});
    }
    return out;
  }

  Completion Flags(const std::string& word) const {
    Completion out;
    for (const CLI::Option* option : command_->get_options({})) {
      for (const std::string& name : option->get_lnames()) {
        const bool again = given_.flags.count(name) != 0 && !TakesMany(*option);
        if (!again && absl::StartsWith("--" + name, word))
          out.candidates.push_back({"--" + name, option->get_description()});
      }
      for (const std::string& name : option->get_snames()) {
        if (word == "-" || word == "-" + name)
          out.candidates.push_back({"-" + name, option->get_description()});
      }
    }
    return out;
  }

  const Commands& commands_;
  const CLI::App* command_;
  const CLI::Option* awaited_ = nullptr;  // The flag whose value comes next.
  bool flags_ended_ = false;
  Given given_;
};

constexpr char kBash[] = R"(# Bash completion of skerryctl: source <(skerryctl completion bash)
_skerryctl() {
  local line="${COMP_LINE:0:COMP_POINT}" path word
  local -a words candidates
  # Bash splits at '=' and ':', which belong to our words.
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local current="${words[${#words[@]} - 1]}" prefix=""
  [[ $current == *[=:]* ]] && prefix="${current%"${current##*[=:]}"}"
  {
    read -r path
    while IFS=$'\t' read -r word _; do candidates+=("${word#"$prefix"}"); done
  } < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
  COMPREPLY=("${candidates[@]}")
  [[ ${#candidates[@]} == 1 && ${candidates[0]} == *= ]] && compopt -o nospace
  case $path in
    file) compopt -o filenames; COMPREPLY+=($(compgen -f -- "${current#"$prefix"}")) ;;
    folder) compopt -o filenames; COMPREPLY+=($(compgen -d -- "${current#"$prefix"}")) ;;
  esac
}
complete -F _skerryctl skerryctl
)";

constexpr char kZsh[] = R"(#compdef skerryctl
# Zsh completion of skerryctl: source <(skerryctl completion zsh), or as _skerryctl in a folder of $fpath
_skerryctl() {
  local path_kind word about
  local -a lines words_of described
  lines=("${(@f)$(${(Q)words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  path_kind=$lines[1]
  for word in "${(@)lines[2,-1]}"; do
    about=${word#*$'\t'}
    word=${word%%$'\t'*}
    [[ -n $word ]] || continue
    words_of+=("$word")
    if [[ -n $about ]]; then described+=("$word  -- $about"); else described+=("$word"); fi
  done
  (( $#words_of )) && compadd -l -d described -a words_of
  case $path_kind in
    file) compset -P '*='; _files ;;
    folder) compset -P '*='; _files -/ ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _skerryctl "$@"
else
  compdef _skerryctl skerryctl
fi
)";

constexpr char kFish[] = R"(# Fish completion of skerryctl: skerryctl completion fish | source
function __skerryctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    test (count $lines) -gt 1; and printf '%s\n' $lines[2..-1]
    switch "$lines[1]"
        case file
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- $current)
        case folder
            __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $current) ''
    end
end
complete -c skerryctl -f -a '(__skerryctl_complete)'
)";

}  // namespace

Completion Complete(const Commands& commands, const std::vector<std::string>& words) {
  Line line(commands);
  for (size_t i = 0; i + 1 < words.size(); ++i) line.Read(words[i]);
  return line.Offer(words.empty() ? "" : words.back());
}

std::string CompletionLines(const Completion& completion) {
  std::string out = completion.path == Values::Path::kFile     ? "file\n"
                    : completion.path == Values::Path::kFolder ? "folder\n"
                                                               : "none\n";
  for (const Candidate& candidate : completion.candidates)
    absl::StrAppend(&out, candidate.word, "\t", candidate.about, "\n");
  return out;
}

std::string CompletionScript(absl::string_view shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
}

}  // namespace skerry::skerryctl
