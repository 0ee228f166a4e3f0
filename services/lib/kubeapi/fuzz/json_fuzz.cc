// Any bytes as JSON, as an object of Kubernetes, and as an object with a patch behind it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/patch.h"
#include "services/lib/model/kube_object.h"

namespace {

using skerry::kubeapi::Json;

// What was read is written, and read again as the same.
void ExpectSame(const Json& value) {
  const absl::StatusOr<Json> again = skerry::kubeapi::ParseJson(skerry::kubeapi::DumpJson(value));
  if (!again.ok() || *again != value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  skerry::KubeObject::Parse(text).IgnoreError();
  const size_t line = text.find('\n');
  const absl::StatusOr<Json> object = skerry::kubeapi::ParseJson(text.substr(0, line));
  if (!object.ok()) return 0;
  ExpectSame(*object);
  if (line == absl::string_view::npos) return 0;
  const absl::StatusOr<Json> patch = skerry::kubeapi::ParseJson(text.substr(line + 1));
  if (!patch.ok()) return 0;
  const absl::StatusOr<Json> merged = skerry::kubeapi::ApplyMergePatch(*object, *patch);
  if (merged.ok()) ExpectSame(*merged);
  const absl::StatusOr<Json> patched = skerry::kubeapi::ApplyJsonPatch(*object, *patch);
  if (patched.ok()) ExpectSame(*patched);
  return 0;
}
