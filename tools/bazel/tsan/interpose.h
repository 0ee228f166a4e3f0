// For definitions that take the place of a shared library's: what the library's own is.
#ifndef SKERRY_TOOLS_BAZEL_TSAN_INTERPOSE_H_
#define SKERRY_TOOLS_BAZEL_TSAN_INTERPOSE_H_

#include <dlfcn.h>

extern "C" {
// ThreadSanitizer's, in no header of GCC 12.
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

// Defines `symbol`; `body` may call real(...), which is the library's.
#define SKERRY_INTERPOSE(result, symbol, parameters, body)                                       \
  extern "C" result symbol parameters {                                                          \
    static auto* const real = reinterpret_cast<result(*) parameters>(dlsym(RTLD_NEXT, #symbol)); \
    body                                                                                         \
  }

namespace skerry::tsan {

// The reads of its scope are ordered in a way that cannot be told to ThreadSanitizer.
class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

}  // namespace skerry::tsan

#endif  // SKERRY_TOOLS_BAZEL_TSAN_INTERPOSE_H_
