// Any text as a label selector and as a field selector.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/selectors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const skerry::kubeapi::Json object = {{"metadata", {{"name", "a"}}}, {"app", "web"}, {"n", "7"}};
  const auto labels = skerry::kubeapi::LabelSelector::Parse(text);
  if (labels.ok()) labels->Matches(object);
  const auto fields =
      skerry::kubeapi::FieldSelector::Parse(text, {"metadata.name", "status.phase"});
  if (fields.ok()) {
    fields->Matches(object);
    fields->Exact("metadata.name");
  }
  return 0;
}
