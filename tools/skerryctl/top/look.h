// skerryctl top: a look at the box, through its services and the kernel.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_LOOK_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_LOOK_H_

#include <string>

#include "services/lib/base/clock.h"
#include "tools/skerryctl/box_client.h"
#include "tools/skerryctl/top/snapshot.h"

namespace skerry::skerryctl {

// Blocking: 3 s at most for each of four services.
BoxSnapshot LookAtBox(BoxClient& box, const std::string& run_dir, Clock& clock);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_LOOK_H_
