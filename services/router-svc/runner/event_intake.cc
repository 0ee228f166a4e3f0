#include "services/router-svc/runner/event_intake.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/end_to_end.h"
#include "services/router-svc/core/topic.h"

namespace skerry::router {
namespace {

constexpr char kBytes[] = "application/octet-stream";  // MQTT does not say what a payload is.

constexpr size_t kContentTypeBytesMax = 256;

bool IsContentType(absl::string_view text) {
  return text.size() <= kContentTypeBytesMax && http::IsHeaderValue(text);
}

absl::Status Malformed(absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("not a ", what))
      .Reason("EVENT_MALFORMED");
}

}  // namespace

EventIntake::EventIntake(std::string stream, RuleBook& rules, MessageStore& store,
                         StoreIdOf store_id, Wake wake, Clock& clock, RouterMetrics& metrics)
    : stream_(std::move(stream)),
      rules_(rules),
      store_(store),
      store_id_(std::move(store_id)),
      wake_(std::move(wake)),
      clock_(clock),
      metrics_(metrics) {}

absl::StatusOr<std::vector<NewMessage>> EventIntake::Read(const std::string& node,
                                                          const std::string& value,
                                                          const RouteTable& table) const {
  NewMessage message{.node = node};
  std::vector<const Route*> routes;
  if (stream_ == kUserMessages) {
    eventbus::v1::UserMessage user;
    if (!user.ParseFromString(value)) return Malformed("skerry.eventbus.v1.UserMessage");
    SKERRY_RETURN_IF_ERROR(CheckTopic("topic", user.topic()));
    routes = table.OfTopic(node, user.topic());
    message.source = user.topic();
    message.content_type = kBytes;
    message.payload = std::move(*user.mutable_payload());
  } else {
    servicebus::v1::ServicePost post;
    if (!post.ParseFromString(value)) return Malformed("skerry.servicebus.v1.ServicePost");
    routes = table.OfPost(node, post.target_url());
    message.source = post.target_url();
    if (IsContentType(post.content_type())) message.content_type = post.content_type();
    message.payload = std::move(*post.mutable_payload());
  }
  std::vector<NewMessage> messages;
  for (const Route* route : routes) {
    messages.push_back(message);
    messages.back().rule = route->rule;
    messages.back().rule_uid = route->uid;
  }
  return messages;
}

cloudspoke::EventTarget::Applied EventIntake::Apply(const std::string& node,
                                                    const cloudspoke::EventInbox::Batch& batch) {
  Applied applied;
  const std::string store_id = store_id_(node, batch.epoch);
  if (store_id.empty()) {  // They come again in the next session.
    applied.waits = absl::UnavailableError("the node's session has ended");
    return applied;
  }
  const std::shared_ptr<const RouteTable> table = rules_.Table();
  std::vector<NewEvent> events;
  std::set<std::string> rules;
  int64_t unrouted = 0, rejected = 0;
  for (const cloudspoke::InboxEvent& event : batch.events) {
    absl::StatusOr<std::vector<NewMessage>> messages = Read(node, event.value, *table);
    applied.results.push_back(messages.status());
    NewEvent& added = events.emplace_back(NewEvent{.sequence = event.sequence});
    if (!messages.ok()) {
      ++rejected;
      continue;
    }
    if (messages->empty()) ++unrouted;
    for (NewMessage& message : *messages) {
      rules.insert(message.rule);
      message.key = absl::StrCat(node, "/", stream_, "/", store_id, "/", event.sequence, "/",
                                 message.rule_uid);
    }
    added.messages = *std::move(messages);
  }
  const absl::StatusOr<Accepted> accepted =
      store_.Accept({.node = node, .stream = stream_, .store_id = store_id}, events, clock_.Now());
  if (!accepted.ok()) {
    applied.results.clear();
    applied.waits = accepted.status();
    return applied;
  }
  metrics_.Event("unrouted", unrouted);
  metrics_.Event("rejected", rejected);
  metrics_.Event("repeated", accepted->repeated);
  metrics_.dead_letters_dropped.Increment(static_cast<double>(accepted->letters_dropped));
  for (const auto& [rule, count] : accepted->waiting) metrics_.Event("routed", count);
  // Also of those that were here before: nobody may have heard that they were stored.
  for (const std::string& rule : rules) wake_(rule);
  for (const auto& [rule, count] : accepted->overflowed) {
    metrics_.Event("overflowed", count);
    for (int64_t i = 0; i < count; ++i)
      rules_.Failed(rule, "RULE_QUEUE_FULL: too many messages wait for the target");
  }
  return applied;
}

}  // namespace skerry::router
