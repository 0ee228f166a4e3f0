// Posts of local programs on their way into the hub's journal.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_POST_QUEUE_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_POST_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/clock.h"
#include "services/lib/hubclient/hub_types.h"
#include "services/servicebus-svc/core/local_post.h"
#include "services/servicebus-svc/metrics.h"

namespace skerry::servicebus {

// In the order of Put, one batch at a time. Any thread may call it. Nothing is kept on a disk here:
// who was not told that a post is stored sends it again. References outlive it.
class PostQueue {
 public:
  static constexpr char kStream[] = "servicebus";

  // OK: it is in the journal. RESOURCE_EXHAUSTED / POSTS_BUSY: too many wait.
  using Done = absl::AnyInvocable<void(absl::Status status)>;
  // HubClient::PutEvents.
  using EventsDone = absl::AnyInvocable<void(hubclient::EventsPut put)>;
  using PutEvents = std::function<void(hubclient::EventBatch batch, EventsDone done)>;

  struct Options {
    std::string producer;  // Another one in each process: sequences begin anew.
    size_t bytes_max = 4u << 20;
  };
  PostQueue(Options options, PutEvents put, Clock& clock, ServiceBusMetrics& metrics);

  void Put(const LocalPost& post, Done done);

 private:
  struct Waiting {
    hubclient::Event event;
    Done done;
  };
  void SendNext();
  void TakeBatch(hubclient::EventBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(hubclient::EventsPut put);

  const Options options_;
  const PutEvents put_;
  Clock& clock_;
  ServiceBusMetrics& metrics_;
  absl::Mutex mutex_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);  // The first `sent_` are with the hub.
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;         // In the call that hands them over.
  size_t sent_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_RUNNER_POST_QUEUE_H_
