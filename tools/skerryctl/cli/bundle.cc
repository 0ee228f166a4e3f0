#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "absl/strings/str_split.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/status_macros.h"
#include "tools/skerryctl/bundle/bundle_command.h"
#include "tools/skerryctl/cli/add.h"
#include "tools/skerryctl/cli/shared.h"
#include "tools/skerryctl/printable.h"

namespace skerry::skerryctl {
namespace {

absl::Status WriteBundle(const BundleOptions& options) {
  SystemClock clock;
  SKERRY_ASSIGN_OR_RETURN(const Bundle bundle, MakeBundle(options, clock));
  for (absl::string_view line : absl::StrSplit(bundle.manifest, '\n', absl::SkipEmpty())) {
    std::cout << Printable(line) << "\n";
  }
  std::cout << Printable(bundle.path) << "\n";
  return absl::OkStatus();
}

}  // namespace

void AddBundle(Commands& commands) {
  auto bundle = std::make_shared<BundleOptions>();
  CLI::App& command = commands.Add(
      "bundle", "pack what support needs to know of this box into one file, without secrets",
      kOnABox, [bundle] { return WriteBundle(*bundle); });
  AddFolder(commands, command, bundle->folder);
  AddRunDir(commands, command, bundle->run_dir);
  const Values files = {.path = Values::Path::kFile};
  commands.Offer(
      command.add_option("--out", bundle->out,
                         "file to write; default: skerry-bundle-<node>-<time>.tar.gz here"),
      files);
  commands.Offer(
      command.add_option("--logs", bundle->logs, "log files, whose last lines are packed"), files);
  command.add_option("--log-lines", bundle->log_lines, "lines of each log")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command.add_option("--ops", bundle->ops,
                     "ops ports, whose metrics are packed: twin-svc=127.0.0.1:9103");
  command.add_option("--bytes-max", bundle->bytes_max, "most bytes to pack, before compression")
      ->check(CLI::Range(int64_t{64} << 10, int64_t{1} << 30))
      ->capture_default_str();
}

}  // namespace skerry::skerryctl
