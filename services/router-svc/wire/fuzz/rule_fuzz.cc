// Any JSON as a Rule and as a RuleEndpoint; any text as the target of a REST request and as a
// topic.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/lib/model/kube_object.h"
#include "services/router-svc/core/route_table.h"
#include "services/router-svc/core/topic.h"
#include "services/router-svc/wire/rule_objects.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  skerry::router::ParseRestTarget(text).IgnoreError();
  if (skerry::router::CheckTopicFilter("filter", text).ok())
    skerry::router::MatchesTopic(text, "ns/alarms/fire");
  if (skerry::router::CheckTopic("topic", text).ok()) skerry::router::MatchesTopic("ns/+/#", text);
  const auto object = skerry::KubeObject::Parse(text);
  if (!object.ok()) return 0;
  skerry::router::ReadRule(*object).IgnoreError();
  skerry::router::ReadEndpoint(*object).IgnoreError();
  skerry::router::ReadRuleStatus(*object);
  skerry::router::ForBox(*object);
  return 0;
}
