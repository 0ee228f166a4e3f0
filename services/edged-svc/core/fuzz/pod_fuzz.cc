// Any text as a pod that a box is to run.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/edged-svc/core/pod_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  skerry::edged::ParsePod(text).IgnoreError();
  skerry::edged::ParsePodIdentity(text);
  return 0;
}
