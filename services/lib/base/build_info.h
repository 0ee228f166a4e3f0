// Which build this is.
#ifndef SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_
#define SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_

namespace skerry {

// "0.1.0".
const char* BuildVersion();
// The commit, with "-dirty" behind it where files differed from it: in binaries that were built
// with
// --stamp --embed_label=$(tools/dev/revision), as tools/quickstart and tools/release do. "unknown"
// in others and in tests, so that a new commit links nothing again.
const char* BuildCommit();

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_
