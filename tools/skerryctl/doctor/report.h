// A box's findings for people and for scripts.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_REPORT_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_REPORT_H_

#include <string>
#include <vector>

#include "tools/skerryctl/doctor/core/findings.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

// True without errors; warnings may be there.
bool IsHealthy(const std::vector<Finding>& findings);

std::string RenderFindings(const Observations& seen, const std::vector<Finding>& findings,
                           Format format);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_REPORT_H_
