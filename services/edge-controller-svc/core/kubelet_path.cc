#include "services/edge-controller-svc/core/kubelet_path.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace skerry::edgecontroller {

std::optional<std::string> PodOfKubeletPath(absl::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  if (parts.size() < 4 || !parts[0].empty()) return std::nullopt;
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
  }
  const bool logs = parts[1] == "containerLogs" && parts.size() == 5;
  const bool in_container =
      (parts[1] == "exec" || parts[1] == "attach") && (parts.size() == 5 || parts.size() == 6);
  const bool ports = parts[1] == "portForward" && (parts.size() == 4 || parts.size() == 5);
  if (!logs && !in_container && !ports) return std::nullopt;
  return absl::StrCat(parts[2], "/", parts[3]);
}

}  // namespace skerry::edgecontroller
