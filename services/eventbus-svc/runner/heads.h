// Heads of the documents that are published: time and id.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_HEADS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_HEADS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "services/eventbus-svc/core/twin_documents.h"
#include "services/lib/base/clock.h"

namespace skerry::eventbus {

// Any thread may use it, as far as `new_id` allows. The clock outlives it.
class Heads final {
 public:
  Heads(Clock& clock, std::function<std::string()> new_id)
      : clock_(clock), new_id_(std::move(new_id)) {}

  DocumentHead New() const { return Of(new_id_()); }
  // Of the answer to a request that was understood.
  DocumentHead For(const std::string& event_id) const {
    return event_id.empty() ? New() : Of(event_id);
  }
  DocumentHead Of(std::string event_id) const {
    return {std::move(event_id), absl::ToUnixMillis(clock_.Now())};
  }
  std::string NewId() const { return new_id_(); }

 private:
  Clock& clock_;
  const std::function<std::string()> new_id_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_HEADS_H_
