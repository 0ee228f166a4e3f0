// Takes secrets out of text that leaves a box.
#ifndef SKERRY_TOOLS_SKERRYCTL_BUNDLE_REDACT_H_
#define SKERRY_TOOLS_SKERRYCTL_BUNDLE_REDACT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::skerryctl {

// `text` with "[redacted]" for private keys, the secrets of join tokens, JSON web tokens, what
// follows "Authorization" or "Bearer", passwords in URLs, and the values of keys that end in
// password, passwd, secret, token, credential, api_key or private_key. Rather too much than too
// little: an unquoted value ends with its line. Linear in the size of the text.
std::string Redact(absl::string_view text);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BUNDLE_REDACT_H_
