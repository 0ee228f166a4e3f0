// Names of threads, as top and debuggers show them.
#ifndef SKERRY_SERVICES_LIB_EXEC_THREAD_NAME_H_
#define SKERRY_SERVICES_LIB_EXEC_THREAD_NAME_H_

#include "absl/strings/string_view.h"

namespace skerry::exec {

// Names the calling thread; the kernel keeps the first 15 characters.
void SetThreadName(absl::string_view name);

}  // namespace skerry::exec

#endif  // SKERRY_SERVICES_LIB_EXEC_THREAD_NAME_H_
