#include "services/lib/exec/thread_name.h"

#include <pthread.h>

#include <string>

namespace skerry::exec {

void SetThreadName(absl::string_view name) {
  constexpr size_t kKernelLimit = 15;
  std::string cut(name.substr(0, kKernelLimit));
  pthread_setname_np(pthread_self(), cut.c_str());
}

}  // namespace skerry::exec
