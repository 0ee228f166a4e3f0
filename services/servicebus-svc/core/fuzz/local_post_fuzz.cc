// Any bytes as the body of a local program's post, and as a URL.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/base/http_url.h"
#include "services/servicebus-svc/core/local_post.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto post =
      skerry::servicebus::ReadLocalPost(text, [](const std::string& url) { return !url.empty(); });
  if (post.ok() && post->payload.size() > skerry::servicebus::kPayloadBytesMax) std::abort();
  skerry::servicebus::LocalAnswer(post.status());
  const auto url = skerry::ParseHttpUrl("url", text);
  // What was read as one URL is written as one that is read the same.
  if (url.ok() && !skerry::ParseHttpUrl("url", skerry::ToText(*url)).ok()) std::abort();
  skerry::ParseHttpPath("path", text).IgnoreError();
  return 0;
}
