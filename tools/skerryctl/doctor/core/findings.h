// What is wrong with a box, from what was seen of it.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_FINDINGS_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_FINDINGS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/skerryctl/doctor/core/observations.h"

namespace skerry::skerryctl {

// Between this box and the hub; join asks for the same.
inline constexpr absl::Duration kDoctorSkewMax = absl::Minutes(5);
// Below, services can't be sure to store what they have to.
inline constexpr int64_t kDiskFullBytes = 16 << 20;
inline constexpr int64_t kDiskLowBytes = 256 << 20;
inline constexpr int64_t kInodesMin = 1000;

enum class Severity { kWarning, kError };

// One row of the table in README.md. Codes are stable: scripts rely on them.
struct Diagnosis {
  absl::string_view code;
  absl::string_view check;  // One of Checks().
  Severity severity;
  absl::string_view cause;
  absl::string_view fix;
};
const std::vector<Diagnosis>& Diagnoses();

// In the order in which they are shown.
const std::vector<absl::string_view>& Checks();
// Without those of join tokens where this box needs none.
std::vector<absl::string_view> ChecksOf(const Observations& seen);

struct Finding {
  const Diagnosis* diagnosis;  // Of Diagnoses().
  std::string seen;
};

// It has not joined, or what it has of that is of no use any more: a join token is looked at only
// then.
bool HasToJoin(const Observations& seen);

// Root causes: what follows from another finding is left out. In the order of the checks.
std::vector<Finding> FindingsOf(const Observations& seen);

// Why `check` says nothing of this box; empty where it does.
std::string WhySkipped(absl::string_view check, const Observations& seen);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_CORE_FINDINGS_H_
