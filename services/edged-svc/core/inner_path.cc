#include "services/edged-svc/core/inner_path.h"

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace skerry::edged {

bool IsInnerPath(absl::string_view path) {
  if (path.empty() || path.size() > 4096 || path[0] == '/' || absl::StrContains(path, '\0'))
    return false;
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (part == ".." || part.size() > 255) return false;
  }
  return true;
}

}  // namespace skerry::edged
