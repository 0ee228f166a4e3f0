// A folder that is gone when the test is.
#ifndef SKERRY_SERVICES_LIB_TESTING_TEMP_DIR_H_
#define SKERRY_SERVICES_LIB_TESTING_TEMP_DIR_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::testing {

// Under /tmp and with a short name: a Unix socket's path has 107 characters, and Bazel's own test
// folders are longer than that. Aborts where it cannot be made.
class TempDir {
 public:
  TempDir();
  ~TempDir();  // Removes it and what it holds.
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // path()/name
  std::string File(absl::string_view name) const;
  // Writes File(name) and returns its path.
  std::string Write(absl::string_view name, absl::string_view text) const;

 private:
  std::string path_;
};

// The whole file; empty where there is none.
std::string ReadFileText(const std::string& path);

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_TESTING_TEMP_DIR_H_
