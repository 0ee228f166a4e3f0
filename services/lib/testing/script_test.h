// Script tests: what a state machine does with a sequence of commands, as text that a reviewer can
// read.
//
//   # Reconnect inside the window must not resend acknowledged messages.
//   deliver node=n1 seq=1..3
//   ack node=n1 seq=2
//   ----
//   send node=n1 seq=3
//
// A case is lines of commands, "----" and the expected output, up to an empty line. All cases of a
// file run on one machine, in order. Lines that start with '#' and empty lines between cases are
// kept.
#ifndef SKERRY_SERVICES_LIB_TESTING_SCRIPT_TEST_H_
#define SKERRY_SERVICES_LIB_TESTING_SCRIPT_TEST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::testing {

// One command line: name, then words and key=value pairs. A value in double quotes may hold spaces.
struct ScriptCommand {
  std::string name;
  std::vector<std::string> words;
  std::map<std::string, std::string> args;
  std::string text;  // The line.
  int line = 0;      // In its file, from 1.

  bool Has(absl::string_view key) const;
  // The value of `key`; without a default, a missing one is a test failure and reads as "".
  std::string Arg(absl::string_view key) const;
  std::string Arg(absl::string_view key, absl::string_view default_value) const;
  // As a number; what is not one is a test failure and reads as 0.
  int64_t Int(absl::string_view key) const;
  int64_t Int(absl::string_view key, int64_t default_value) const;
};

// Runs one command and returns its output: lines that it adds to the case's. A missing last newline
// is added.
using ScriptHandler = std::function<std::string(const ScriptCommand&)>;

// Runs every .txt file of `folder` (from the workspace root; give its files as the test's data),
// each with a handler of its own, and fails where the output differs. Run the test with --rewrite
// (bazel run) to accept the output instead: the files are then written, and the diff is reviewed.
void RunScripts(absl::string_view folder, const std::function<ScriptHandler()>& new_machine);

// The file with the output that `handler` gives in place of the expected one; what RunScripts
// compares. Failures of the script's form are test failures that name `path`.
std::string RunScriptText(absl::string_view path, absl::string_view text,
                          const ScriptHandler& handler);

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_TESTING_SCRIPT_TEST_H_
