// Which headers a proxy passes on.
#ifndef SKERRY_SERVICES_LIB_HTTP_END_TO_END_H_
#define SKERRY_SERVICES_LIB_HTTP_END_TO_END_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::http {

// Without those that belong to one connection (RFC 9110, 7.6.1: Connection and what it names,
// Transfer-Encoding, …), and without Host, Content-Length and Expect, which each hop makes itself.
std::vector<std::pair<std::string, std::string>> EndToEnd(
    const std::vector<std::pair<std::string, std::string>>& headers);

// As RFC 9110 has them: a name is a token; a value has no control characters but tabs.
bool IsHeaderName(absl::string_view name);
bool IsHeaderValue(absl::string_view value);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_END_TO_END_H_
