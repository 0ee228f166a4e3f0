#include "services/edged-svc/core/pod_cgroup.h"

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/resources.h"

namespace skerry::edged {

std::string PodCgroup(absl::string_view parent, const PodSpec& pod) {
  const QosClass qos = QosOf(pod);
  return absl::StrCat(parent,
                      qos == QosClass::kGuaranteed  ? ""
                      : qos == QosClass::kBurstable ? "/burstable"
                                                    : "/besteffort",
                      "/pod", pod.uid);
}

}  // namespace skerry::edged
