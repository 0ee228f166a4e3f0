#include "services/edged-svc/docker/container_process.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
extern "C" {  // glibc 2.36 forgets it.
#include <sys/pidfd.h>
}

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace skerry::edged {

bool IsOfContainer(absl::string_view container_id, int64_t pid) {
  if (container_id.empty() || pid <= 1) return false;
  std::ifstream in(absl::StrCat("/proc/", pid, "/cgroup"));
  const std::string groups{std::istreambuf_iterator<char>(in), {}};
  return absl::StrContains(groups, container_id);
}

void KillInside(absl::string_view container_id, int64_t pid) {
  const int process = pidfd_open(static_cast<pid_t>(pid), 0);
  if (process < 0) return;
  if (IsOfContainer(container_id, pid)) (void)pidfd_send_signal(process, SIGKILL, nullptr, 0);
  close(process);
}

}  // namespace skerry::edged
