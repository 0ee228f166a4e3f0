// UTF-8, as MQTT demands it of topics.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_CORE_UTF8_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_CORE_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace skerry::eventbus {

// The bytes of the code point that `text` begins with, which is put into `code_point`; 0: none, for
// `text` is empty or not UTF-8 (overlong, a surrogate, above U+10FFFF, cut off).
size_t DecodeUtf8(absl::string_view text, char32_t& code_point);

bool IsUtf8(absl::string_view text);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_CORE_UTF8_H_
