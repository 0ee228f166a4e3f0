// Which build this is.
#ifndef SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_
#define SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_

namespace skerry {

// "0.1.0".
const char* BuildVersion();
// The commit, "unknown" in a development build. Releases give it to the compiler for build_info.cc
// alone (--per_file_copt), so that a new commit rebuilds one file.
const char* BuildCommit();

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_BASE_BUILD_INFO_H_
