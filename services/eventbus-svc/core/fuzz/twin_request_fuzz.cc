// Any bytes as the payload of each request, and the answers to it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "services/eventbus-svc/core/twin_documents.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/eventbus-svc/core/twin_values.h"

namespace {

using skerry::eventbus::DocumentHead;

void ExpectJson(const std::string& text) {
  if (!nlohmann::json::accept(text)) std::abort();
}

template <typename Request>
void ExpectAnswer(const skerry::eventbus::Parsed<Request>& parsed) {
  if (parsed.request.ok()) return;
  if (skerry::eventbus::ResultCode(parsed.request.status().code()) != 400) std::abort();
  const DocumentHead head = {parsed.event_id, 1};
  ExpectJson(skerry::eventbus::ErrorResultJson(head, parsed.request.status()));
}

// The answer to an update that changes all that it names.
void ExpectResult(const skerry::eventbus::Parsed<skerry::eventbus::TwinUpdateRequest>& parsed) {
  if (parsed.request->properties.size() > skerry::eventbus::kPropertiesMax) std::abort();
  const DocumentHead head = {parsed.event_id, 1};
  skerry::eventbus::TwinChanges changes;
  skerry::eventbus::TwinProperties twin;
  for (const auto& [name, update] : parsed.request->properties) {
    changes[name];
    if (!update.has_value()) continue;
    changes[name] = {.expected = {update->expected, 1},
                     .actual = {update->actual, 1},
                     .optional = update->optional.value_or(true),
                     .type = update->type};
    twin[name] = *changes[name];
  }
  ExpectJson(skerry::eventbus::UpdateResultJson(head, changes));
  ExpectJson(skerry::eventbus::DeltaJson(head, twin).value_or("{}"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view payload(reinterpret_cast<const char*>(data), size);
  const auto update = skerry::eventbus::ParseTwinUpdate(payload);
  ExpectAnswer(update);
  if (update.request.ok()) {
    // What is taken is JSON by the parser's own account.
    if (!nlohmann::json::accept(payload.begin(), payload.end())) std::abort();
    ExpectResult(update);
  }
  ExpectAnswer(skerry::eventbus::ParseTwinGet(payload));
  ExpectAnswer(skerry::eventbus::ParseStateUpdate(payload));
  ExpectAnswer(skerry::eventbus::ParseMembershipGet(payload));
  return 0;
}
