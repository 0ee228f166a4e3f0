#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "services/lib/base/clock.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/doctor/observe.h"
#include "tools/skerryctl/doctor/report.h"

namespace skerry::skerryctl {
namespace {

struct Options {
  std::string folder = "/etc/skerry";
  std::string output = "table";
};

absl::Status Diagnose(const Options& options) {
  SystemClock clock;
  const Observations seen = ObserveBox(options.folder, clock);
  const std::vector<Finding> findings = FindingsOf(seen);
  std::cout << RenderFindings(seen, findings, ParseFormat(options.output));
  return IsHealthy(findings) ? absl::OkStatus() : NotHealthy();
}

}  // namespace

void AddDoctor(Commands& commands) {
  auto options = std::make_shared<Options>();
  CLI::App& command = commands.Add(
      "doctor", "look for what is wrong with this box: each finding has a code, a cause and a fix",
      kOnABox, [options] { return Diagnose(*options); });
  AddFolder(commands, command, options->folder);
  AddOutput(commands, command, options->output);
}

}  // namespace skerry::skerryctl
