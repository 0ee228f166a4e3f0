#include "services/edged-svc/core/resources.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/quantity.h"

namespace skerry::edged {
namespace {

constexpr int64_t kPeriodMicros = 100'000;
constexpr int64_t kQuotaMinMicros = 1'000;

__int128 Amount(const std::map<std::string, __int128>& list, const std::string& resource) {
  const auto it = list.find(resource);
  return it == list.end() ? 0 : it->second;
}

int64_t OomScoreAdj(QosClass qos, const ContainerSpec& container, const NodeResources& node) {
  if (qos == QosClass::kGuaranteed) return -997;
  if (qos == QosClass::kBestEffort) return 1000;
  // Burstable: the less of the node it asked for, the earlier it goes.
  const int64_t requested = ToUnits(Amount(container.resources.requests, "memory"));
  const int64_t share =
      node.memory_bytes <= 0
          ? 0
          : static_cast<int64_t>(static_cast<__int128>(1000) * requested / node.memory_bytes);
  const int64_t score = 1000 - share;
  if (score < 1000 - 997) return 1000 - 997;
  return score == 1000 ? score - 1 : score;
}

}  // namespace

QosClass QosOf(const PodSpec& pod) {
  std::map<std::string, __int128> requests, limits;
  bool guaranteed = true;
  for (const auto* list : {&pod.init_containers, &pod.containers}) {
    for (const ContainerSpec& c : *list) {
      for (const char* resource : {"cpu", "memory"}) {
        const __int128 request = Amount(c.resources.requests, resource);
        const __int128 limit = Amount(c.resources.limits, resource);
        if (request > 0) requests[resource] += request;
        if (limit > 0) limits[resource] += limit;
        if (limit <= 0) guaranteed = false;
      }
    }
  }
  if (requests.empty() && limits.empty()) return QosClass::kBestEffort;
  return guaranteed && requests == limits ? QosClass::kGuaranteed : QosClass::kBurstable;
}

absl::string_view QosName(QosClass qos) {
  switch (qos) {
    case QosClass::kGuaranteed:
      return "Guaranteed";
    case QosClass::kBurstable:
      return "Burstable";
    case QosClass::kBestEffort:
      break;
  }
  return "BestEffort";
}

ContainerLimits LimitsOf(const PodSpec& pod, const ContainerSpec& container,
                         const NodeResources& node) {
  ContainerLimits out;
  const Resources& r = container.resources;
  // The parser copies a limit into a request that is missing, so that a request is what counts for
  // shares.
  const int64_t request_millis = ToMillis(Amount(r.requests, "cpu"));
  const int64_t limit_millis = ToMillis(Amount(r.limits, "cpu"));
  constexpr int64_t kMillisMax = int64_t{1} << 40;
  out.cpu_shares =
      std::clamp<int64_t>(std::min(request_millis, kMillisMax) * 1024 / 1000, 2, 262144);
  if (limit_millis > 0) {
    out.cpu_period = kPeriodMicros;
    out.cpu_quota =
        std::max(kQuotaMinMicros, std::min(limit_millis, kMillisMax) * kPeriodMicros / 1000);
  }
  out.memory_bytes_max = ToUnits(Amount(r.limits, "memory"));
  out.oom_score_adj = OomScoreAdj(QosOf(pod), container, node);
  return out;
}

std::string ResourceFieldValue(const ContainerSpec& container, absl::string_view resource,
                               int64_t divisor_nano, const NodeResources& node) {
  const bool is_limit = absl::StartsWith(resource, "limits.");
  if (!is_limit && !absl::StartsWith(resource, "requests.")) return "";
  const std::string name(resource.substr(resource.find('.') + 1));
  __int128 amount =
      Amount(is_limit ? container.resources.limits : container.resources.requests, name);
  if (amount == 0 && is_limit) {
    if (name == "cpu") amount = static_cast<__int128>(node.cpu_millis) * (kNano / 1000);
    if (name == "memory") amount = static_cast<__int128>(node.memory_bytes) * kNano;
    if (name == "ephemeral-storage") amount = static_cast<__int128>(node.storage_bytes) * kNano;
  }
  const __int128 divisor = divisor_nano <= 0 ? kNano : divisor_nano;
  return absl::StrCat(static_cast<int64_t>((amount + divisor - 1) / divisor));
}

}  // namespace skerry::edged
