// JSON text, written without a library: log lines and small files.
#ifndef SKERRY_SERVICES_LIB_LOG_JSON_TEXT_H_
#define SKERRY_SERVICES_LIB_LOG_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::log {

// Appends `text` as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD
// each.
void AppendJsonString(std::string& out, absl::string_view text);

}  // namespace skerry::log

#endif  // SKERRY_SERVICES_LIB_LOG_JSON_TEXT_H_
