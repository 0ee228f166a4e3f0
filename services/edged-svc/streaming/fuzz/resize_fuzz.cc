// Any bytes as what a client says of its terminal's size.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/remote_status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  skerry::edged::ResizeReader reader;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (size_t at = 0; at < size; at += 7) {
    if (!reader.Put(bytes.substr(at, 7)).ok()) break;
  }
  return 0;
}
