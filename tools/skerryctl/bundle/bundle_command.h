// skerryctl bundle: what support needs to know of a box, in one file without secrets.
#ifndef SKERRY_TOOLS_SKERRYCTL_BUNDLE_BUNDLE_COMMAND_H_
#define SKERRY_TOOLS_SKERRYCTL_BUNDLE_BUNDLE_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"

namespace skerry::skerryctl {

struct BundleOptions {
  std::string folder = "/etc/skerry";
  std::string run_dir = "/run/skerry";
  std::string out;                // Empty: skerry-bundle-<node>-<time>.tar.gz in this folder.
  std::vector<std::string> logs;  // Files.
  int64_t log_lines = 2000;       // Of each.
  std::vector<std::string> ops;   // "edgehub-svc=127.0.0.1:9100".
  int64_t bytes_max = 16 << 20;   // Before compression.
};

struct Bundle {
  std::string path;
  std::string manifest;  // What is in it, and what is not and why.
};

// Writes the archive with mode 0600: MANIFEST, doctor.json, status.json, certificate.txt, ca.crt,
// config/*.yaml, metrics/<service>.txt, logs/<path>; every text goes through Redact, node.pem is
// never in it. What can't be had, or has no room, is named in the manifest: that is no error.
// Blocks as ObserveBox does, and 3 s for each of `ops`.
absl::StatusOr<Bundle> MakeBundle(const BundleOptions& options, Clock& clock);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BUNDLE_BUNDLE_COMMAND_H_
