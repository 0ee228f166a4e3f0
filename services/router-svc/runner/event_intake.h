// The way up of messages of boxes: out of the streams of nodes into the store, for each rule that
// they are for.
#ifndef SKERRY_SERVICES_ROUTER_SVC_RUNNER_EVENT_INTAKE_H_
#define SKERRY_SERVICES_ROUTER_SVC_RUNNER_EVENT_INTAKE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/event_applier.h"
#include "services/lib/cloudspoke/event_inbox.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/runner/rule_book.h"
#include "services/router-svc/store/message_store.h"

namespace skerry::router {

inline constexpr char kUserMessages[] = "usermessages";
inline constexpr char kServicePosts[] = "servicebus";

// Of one stream. A message that no rule wants is done with. What is malformed is refused for good;
// where the store has no room, it waits on the box. Any thread may call it; references outlive it.
class EventIntake final : public cloudspoke::EventTarget {
 public:
  // The event store of a node in that session, in whose sequence its events are; empty: that is
  // over.
  using StoreIdOf = std::function<std::string(const std::string& node, uint64_t epoch)>;
  // Messages of these rules wait.
  using Wake = std::function<void(const std::string& rule)>;

  EventIntake(std::string stream, RuleBook& rules, MessageStore& store, StoreIdOf store_id,
              Wake wake, Clock& clock, RouterMetrics& metrics);

  Applied Apply(const std::string& node, const cloudspoke::EventInbox::Batch& batch) override;
  void Deferred() override { metrics_.Event("deferred"); }

 private:
  absl::StatusOr<std::vector<NewMessage>> Read(const std::string& node, const std::string& value,
                                               const RouteTable& table) const;

  const std::string stream_;
  RuleBook& rules_;
  MessageStore& store_;
  const StoreIdOf store_id_;
  const Wake wake_;
  Clock& clock_;
  RouterMetrics& metrics_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_RUNNER_EVENT_INTAKE_H_
