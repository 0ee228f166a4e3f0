#include "services/lib/testing/script_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::testing {
namespace {

constexpr char kSeparator[] = "----";

// Splits at spaces, but not inside double quotes, which are dropped; \" and \\ are escapes inside
// them.
std::vector<std::string> SplitWords(absl::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '\\' && i + 1 < line.size()) {
      word += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

ScriptCommand ParseCommand(absl::string_view text, int line) {
  ScriptCommand command;
  command.text = std::string(text);
  command.line = line;
  std::vector<std::string> words = SplitWords(text);
  if (words.empty()) return command;
  command.name = words[0];
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string::npos) {
      command.words.push_back(words[i]);
    } else {
      command.args[words[i].substr(0, equals)] = words[i].substr(equals + 1);
    }
  }
  return command;
}

// gtest's main keeps the arguments that it does not know to itself.
bool RewriteAsked() {
  const std::string arguments = ReadFileText("/proc/self/cmdline");
  for (absl::string_view argument : absl::StrSplit(arguments, '\0')) {
    if (argument == "--rewrite") return true;
  }
  return false;
}

std::string FirstDifference(absl::string_view expected, absl::string_view actual) {
  std::vector<absl::string_view> want = absl::StrSplit(expected, '\n'),
                                 got = absl::StrSplit(actual, '\n');
  size_t i = 0;
  while (i < want.size() && i < got.size() && want[i] == got[i]) ++i;
  return absl::StrCat("line ", i + 1, "\n  expected: ", i < want.size() ? want[i] : "(end)",
                      "\n  got:      ", i < got.size() ? got[i] : "(end)");
}

}  // namespace

bool ScriptCommand::Has(absl::string_view key) const { return args.count(std::string(key)) > 0; }

std::string ScriptCommand::Arg(absl::string_view key) const {
  auto it = args.find(std::string(key));
  if (it != args.end()) return it->second;
  ADD_FAILURE() << "line " << line << ": '" << text << "' lacks " << key << "=";
  return "";
}

std::string ScriptCommand::Arg(absl::string_view key, absl::string_view default_value) const {
  return Has(key) ? Arg(key) : std::string(default_value);
}

int64_t ScriptCommand::Int(absl::string_view key) const {
  int64_t value = 0;
  if (Has(key) && !absl::SimpleAtoi(args.at(std::string(key)), &value)) {
    ADD_FAILURE() << "line " << line << ": '" << text << "': " << key << " must be a number";
  } else if (!Has(key)) {
    Arg(key);
  }
  return value;
}

int64_t ScriptCommand::Int(absl::string_view key, int64_t default_value) const {
  return Has(key) ? Int(key) : default_value;
}

std::string RunScriptText(absl::string_view path, absl::string_view text,
                          const ScriptHandler& handler) {
  std::string out;
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::vector<ScriptCommand> commands;
  int cases = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::string_view line = lines[i];
    absl::StrAppend(&out, line, "\n");
    if (line == kSeparator) {
      ++cases;
      for (const ScriptCommand& command : commands) {
        std::string output = handler(command);
        if (!output.empty() && output.back() != '\n') output += '\n';
        // An empty line would end the case when the file is read again.
        EXPECT_EQ(output.find("\n\n"), std::string::npos)
            << path << ":" << command.line << ": output has an empty line";
        out += output;
      }
      commands.clear();
      while (i + 1 < lines.size() && !lines[i + 1].empty()) ++i;  // The expected output.
    } else if (!line.empty() && line[0] != '#') {
      commands.push_back(ParseCommand(line, static_cast<int>(i) + 1));
    }
  }
  EXPECT_TRUE(commands.empty()) << path << ": the last commands have no ---- after them";
  EXPECT_GT(cases, 0) << path << " holds no case";
  return out;
}

void RunScripts(absl::string_view folder, const std::function<ScriptHandler()>& new_machine) {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");  // Set by bazel run.
  const bool rewrite = RewriteAsked();
  std::filesystem::path root(std::string{folder});
  if (rewrite && workspace != nullptr) root = std::filesystem::path(workspace) / root;
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root, error)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty()) << "no scripts in " << root << ": are they the test's data?";
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const std::string expected = ReadFileText(file);
    const std::string actual = RunScriptText(file, expected, new_machine());
    if (rewrite) {
      std::ofstream(file, std::ios::binary) << actual;
    } else if (actual != expected) {
      ADD_FAILURE() << file << " differs at " << FirstDifference(expected, actual)
                    << "\n(--rewrite accepts the new output)\n"
                    << actual;
    }
  }
}

}  // namespace skerry::testing
