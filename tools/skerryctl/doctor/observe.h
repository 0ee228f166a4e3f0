// Looks at this box: its files, its services, its hub, its runtime, broker and disks.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_OBSERVE_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_OBSERVE_H_

#include <string>

#include "services/lib/base/clock.h"
#include "tools/skerryctl/doctor/core/observations.h"
#include "tools/skerryctl/doctor/token_probe.h"

namespace skerry::skerryctl {

// `folder` is the one that skerryctl join wrote. Changes nothing but for one session at the broker
// that is ended at once. Blocks: every look has its own deadline of 3 to 10 s, about 40 s in all
// where nothing answers, and 20 s more with a token.
Observations ObserveBox(const std::string& folder, Clock& clock, TokenOptions token = {});

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_OBSERVE_H_
