// Any bytes as the target of an HTTP request.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "services/lib/http/request_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto target = skerry::http::ParseRequestTarget(text);
  if (target.ok() && target->query.size() > 256) std::abort();
  return 0;
}
