#include "services/lib/process/small_heap.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace skerry::process {

SmallHeap::SmallHeap(absl::Duration interval) {
  mallopt(M_ARENA_MAX, 1);
  // Signals are for threads that wait for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this, interval] {
    absl::MutexLock lock(&mutex_);
    while (!mutex_.AwaitWithTimeout(absl::Condition(&over_), interval)) malloc_trim(0);
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

SmallHeap::~SmallHeap() {
  {
    absl::MutexLock lock(&mutex_);
    over_ = true;
  }
  thread_.join();
}

void DropThreadCaches(char** argv) {
  constexpr char kVariable[] = "GLIBC_TUNABLES";
  constexpr char kBegun[] = "_SKERRY_BEGUN_ANEW";
  constexpr char kSetting[] = "glibc.malloc.tcache_count=";
  const char* const given = getenv(kVariable);
  const absl::string_view before = given == nullptr ? "" : given;
  if (absl::StrContains(before, kSetting)) return;
  // A second time would be for ever: with rights of its file's glibc takes the setting away again.
  if (getauxval(AT_SECURE) != 0 || getenv(kBegun) != nullptr) return;
  if (getauxval(AT_BASE) == 0) return;  // The loader was called by hand: it is the program then.
  const std::string now = absl::StrCat(before, before.empty() ? "" : ":", kSetting, "0");
  if (setenv(kBegun, "1", 1) != 0 || setenv(kVariable, now.c_str(), 1) != 0) return;
  // By its name, which ps shows, and not by /proc/self/exe. Where it fails, all goes on as it is.
  execv(reinterpret_cast<const char*>(getauxval(AT_EXECFN)), argv);
}

}  // namespace skerry::process
