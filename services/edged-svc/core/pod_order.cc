#include "services/edged-svc/core/pod_order.h"

#include <algorithm>
#include <tuple>

namespace skerry::edged {

void SortNewestFirst(PodView& pod) {
  std::sort(pod.sandboxes.begin(), pod.sandboxes.end(),
            [](const SandboxView& a, const SandboxView& b) {
              return std::tie(a.attempt, a.created, a.id) > std::tie(b.attempt, b.created, b.id);
            });
  std::sort(pod.containers.begin(), pod.containers.end(),
            [](const ContainerView& a, const ContainerView& b) {
              return std::tie(a.restart_count, a.created, a.id) >
                     std::tie(b.restart_count, b.created, b.id);
            });
}

}  // namespace skerry::edged
