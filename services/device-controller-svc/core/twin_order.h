// The order of reported values in the cloud's twin.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_TWIN_ORDER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_TWIN_ORDER_H_

#include <algorithm>
#include <cstdint>

namespace skerry::devicecontroller {

// What is above a report's sequence in the order of reported values (ADR 11, ADR 32). Session
// epochs are of one node only: of a device that was bound to another node, the session there may
// have a lower one. So the Device's generation goes before it: a report counts only where the
// Device is bound to its node, and then its generation is above all those under which the former
// node was heard. Epochs are microseconds (link-2.1); two that are less than 2^20 apart are as one,
// and then the sequence decides. Below 2^63.
inline uint64_t ReportOrderMajor(int64_t device_generation, uint64_t session_epoch) {
  constexpr uint64_t kGenerationMax = (uint64_t{1} << 31) - 1;
  constexpr uint64_t kEpochMax = (uint64_t{1} << 32) - 1;
  const uint64_t generation = static_cast<uint64_t>(std::max<int64_t>(device_generation, 0));
  return (std::min(generation, kGenerationMax) << 32) | std::min(session_epoch >> 20, kEpochMax);
}

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_TWIN_ORDER_H_
