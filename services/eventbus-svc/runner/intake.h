// Takes what the broker sends: requests to their queue, user messages to the disk.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_INTAKE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_INTAKE_H_

#include <cstddef>
#include <functional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/runner/request.h"
#include "services/eventbus-svc/store/delivery.h"
#include "services/eventbus-svc/store/request_log.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

// Whoever brings a message waits here until it is on the disk, and for nothing else: Paho's thread
// holds Paho's lock meanwhile, and with that everything that is to be published. Requests beyond
// the bound of those in memory wait in their log, and have their turn when there is room. Any
// thread may call it. What it is given outlives it.
class Intake final {
 public:
  struct Options {
    NodeName node;
    size_t requests_bytes_max = 8 << 20;          // In memory.
    absl::Duration patience = absl::Seconds(10);  // Until a user's message is on the disk.
  };
  // Does not block.
  using Sink = std::function<void(Request request)>;
  using NewId = std::function<std::string()>;

  Intake(const Options& options, Journal& journal, RequestLog& requests, NewId new_id, Sink sink,
         Clock& clock, BusMetrics& metrics, log::Logger log);

  // What a former process had not answered, before anything else.
  void Resume();
  // `payload` may be cut behind 256 KiB; `size_bytes` is its size as it came. What is refused is
  // counted: topics that are none of KubeEdge's or name another node, retained messages (requests
  // of former days), user messages of more than 252 KiB or a topic of more than 320 bytes, and what
  // was taken before. When it returns, a crash of the process loses nothing of it.
  void OnMessage(std::string topic, std::string payload, size_t size_bytes, bool retained,
                 const Delivery& delivery);

  // A request was answered.
  void Release(const Request& request);
  // What comes from now on waits in the log for the next process.
  void Close();

 private:
  void OnRequest(RequestTopic topic, const std::string& name, std::string payload,
                 const Delivery& delivery);
  void OnUserMessage(std::string topic, std::string payload, size_t size_bytes,
                     const Delivery& delivery);
  // Brings requests from the log to the queue, as far as there is room.
  void Refill() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefillIfThereIsRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Pass(Request request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Show() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  Journal& journal_;
  RequestLog& requests_;
  const NewId new_id_;
  const Sink sink_;
  Clock& clock_;
  BusMetrics& metrics_;
  const log::Logger log_;

  absl::Mutex mutex_;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;     // In memory.
  int64_t passed_ ABSL_GUARDED_BY(mutex_) = 0;   // The last of the log that went to the queue.
  bool in_log_ ABSL_GUARDED_BY(mutex_) = false;  // There are further ones.
  bool complained_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_INTAKE_H_
