#include "services/edged-svc/node_limits.h"

namespace skerry::edged {

NodeLimits NodeLimitsOf(const EdgedConfig& config) {
  NodeLimits limits;
  limits.pods_max = config.pods_max;
  limits.storage_available_min = static_cast<double>(config.disk_available_percent_min) / 100;
  limits.image_available_min = static_cast<double>(config.images_available_percent_min) / 100;
  return limits;
}

}  // namespace skerry::edged
