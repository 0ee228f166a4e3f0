// A gzip-compressed tar archive in memory.
#ifndef SKERRY_TOOLS_SKERRYCTL_BUNDLE_ARCHIVE_H_
#define SKERRY_TOOLS_SKERRYCTL_BUNDLE_ARCHIVE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

// By hand, over zlib: libarchive would bring ten libraries to the box for this one header. One
// thread.
class Archive {
 public:
  // Of the files' contents, before compression.
  Archive(size_t bytes_max, absl::Time time) : bytes_max_(bytes_max), time_(time) {}

  // A file of mode 0600. RESOURCE_EXHAUSTED / BUNDLE_FULL where it has no room,
  // INVALID_ARGUMENT for a name that is absolute, has "..", or is longer than ustar's 100 + 155
  // bytes; the archive is then as it was.
  absl::Status Add(absl::string_view name, absl::string_view content);

  // Raises the bound.
  void Allow(size_t more) { bytes_max_ += more; }

  // The whole archive; nothing may be added any more.
  absl::StatusOr<std::string> Finish();

 private:
  size_t bytes_max_;
  const absl::Time time_;
  size_t bytes_ = 0;
  std::string tar_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BUNDLE_ARCHIVE_H_
