// Any bytes as the topic of a published message.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/eventbus-svc/core/topics.h"

namespace {

using skerry::eventbus::IncomingTopic;
using skerry::eventbus::OtherTopic;

// What is published about a device must not be heard as its request.
void ExpectNotOurs(absl::string_view topic) {
  const absl::StatusOr<IncomingTopic> parsed = skerry::eventbus::ParseTopic(topic);
  if (!parsed.ok() || !std::holds_alternative<OtherTopic>(*parsed)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view topic(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<IncomingTopic> parsed = skerry::eventbus::ParseTopic(topic);
  if (parsed.ok() && !skerry::eventbus::CheckTopicName(topic).ok()) std::abort();
  if (!parsed.ok()) return 0;
  if (const auto* update = std::get_if<skerry::eventbus::TwinUpdateTopic>(&*parsed))
    ExpectNotOurs(skerry::eventbus::TwinUpdateResultTopic(update->device));
  if (const auto* get = std::get_if<skerry::eventbus::TwinGetTopic>(&*parsed))
    ExpectNotOurs(skerry::eventbus::TwinGetResultTopic(get->device));
  if (const auto* state = std::get_if<skerry::eventbus::StateUpdateTopic>(&*parsed))
    ExpectNotOurs(skerry::eventbus::StateUpdateResultTopic(state->device));
  if (const auto* member = std::get_if<skerry::eventbus::MembershipGetTopic>(&*parsed))
    ExpectNotOurs(skerry::eventbus::MembershipGetResultTopic(member->node));
  return 0;
}
