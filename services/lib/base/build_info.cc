#include "services/lib/base/build_info.h"

#include <cstring>

#ifndef SKERRY_VERSION
#define SKERRY_VERSION "0.1.0"
#endif

// Of build_stamp.cc; null where that is not linked.
extern const char kSkerryBuildStamp[] __attribute__((weak));

namespace skerry {

const char* BuildVersion() { return SKERRY_VERSION; }

const char* BuildCommit() {
  const bool stamped = kSkerryBuildStamp != nullptr && std::strlen(kSkerryBuildStamp) > 0 &&
                       std::strcmp(kSkerryBuildStamp, "redacted") != 0;  // Bazel's word.
  return stamped ? kSkerryBuildStamp : "unknown";
}

}  // namespace skerry
