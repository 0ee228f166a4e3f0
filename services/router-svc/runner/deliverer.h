// Posts the messages of each rule to its target, in order.
#ifndef SKERRY_SERVICES_ROUTER_SVC_RUNNER_DELIVERER_H_
#define SKERRY_SERVICES_ROUTER_SVC_RUNNER_DELIVERER_H_

#include <cstddef>
#include <map>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/caller.h"
#include "services/lib/log/logger.h"
#include "services/lib/reconcile/controller.h"
#include "services/router-svc/core/delivery.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/runner/rule_book.h"
#include "services/router-svc/store/message_store.h"

namespace skerry::router {

// A rule at a time a worker, so that a slow target holds up no other while there are workers. A
// message goes again, with back-off, until it has arrived, or is a dead letter; those behind it
// wait. At least once: what was posted and not noted when the process died, goes again with the
// same Idempotency-Key. Any thread may call it; references outlive Stop().
class Deliverer {
 public:
  struct Options {
    size_t workers = 8;
    absl::Duration timeout = absl::Seconds(10);  // Of one call.
    DeliveryPolicy policy;
    // Between attempts to use the store where that is away or full: until then nothing is posted.
    absl::Duration store_backoff_max = absl::Seconds(5);
  };
  Deliverer(Options options, RuleBook& rules, MessageStore& store, http::Caller& caller,
            Clock& clock, RouterMetrics& metrics, log::Logger log);

  // Once the rules are known: messages of a rule that is not there are dead letters.
  void Start();
  void Stop();  // Ends calls that run. Idempotent.
  // There is something to post, or a rule has changed.
  void Wake(const std::string& rule) { controller_.Add(rule); }

 private:
  absl::StatusOr<reconcile::Outcome> Reconcile(const std::string& rule);
  enum class Result { kArrived, kBuried, kAgain };
  // One attempt; buries what never arrives.
  absl::StatusOr<Result> Deliver(const Route& route, const Message& message);
  absl::Status Bury(const Message& message, absl::string_view error);
  // After an attempt that failed: until when the rule pauses. New messages of it don't shorten
  // that.
  void BeginPause(const std::string& rule, int64_t message);
  absl::Duration PauseLeft(const std::string& rule);

  struct Attempts {
    int64_t message = 0;
    int count = 0;
    absl::Duration until;  // By the monotonic clock.
  };
  const Options options_;
  RuleBook& rules_;
  MessageStore& store_;
  http::Caller& caller_;
  Clock& clock_;
  RouterMetrics& metrics_;
  log::Logger log_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  std::map<std::string, Attempts> attempts_ ABSL_GUARDED_BY(mutex_);  // By rule, of its first.
  absl::BitGen random_ ABSL_GUARDED_BY(mutex_);
  reconcile::Controller controller_;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_RUNNER_DELIVERER_H_
