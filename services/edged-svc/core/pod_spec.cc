#include "services/edged-svc/core/pod_spec.h"

namespace skerry::edged {

const ContainerSpec* PodSpec::Find(const std::string& container) const {
  for (const auto* list : {&init_containers, &containers}) {
    for (const ContainerSpec& c : *list) {
      if (c.name == container) return &c;
    }
  }
  return nullptr;
}

}  // namespace skerry::edged
