// Paths that come from pod objects.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_INNER_PATH_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_INNER_PATH_H_

#include "absl/strings/string_view.h"

namespace skerry::edged {

// A path that, as text, stays inside the folder it is joined to: relative, no "..", no NUL, at most
// 4 KiB.
bool IsInnerPath(absl::string_view path);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_INNER_PATH_H_
