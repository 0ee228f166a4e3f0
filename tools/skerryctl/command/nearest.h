// What was meant by a misspelt word.
#ifndef SKERRY_TOOLS_SKERRYCTL_COMMAND_NEAREST_H_
#define SKERRY_TOOLS_SKERRYCTL_COMMAND_NEAREST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

// The candidate that `word` is nearest to: a beginning of it, or a third of its letters wrong,
// missing, too many or swapped. Empty where none is near. Words of more than 64 bytes have none.
std::string Nearest(absl::string_view word, const std::vector<std::string>& candidates);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_COMMAND_NEAREST_H_
