// What comes from afar, made safe for a terminal.
#ifndef SKERRY_TOOLS_SKERRYCTL_PRINTABLE_H_
#define SKERRY_TOOLS_SKERRYCTL_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

// `text` with '?' for every control character, those of UTF-8's U+0080 to U+009F included: no
// service, certificate or hub drives the terminal of whoever looks at it.
std::string Printable(absl::string_view text);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_PRINTABLE_H_
