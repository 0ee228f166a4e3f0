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

// Whoever brings a message waits here until it is on the disk, or there is room in the queue of
// requests: what waits in this process is bounded, and the broker keeps the rest. Any thread may
// call it. What it is given outlives it.
class Intake final {
 public:
  struct Options {
    NodeName node;
    size_t requests_bytes_max = 8 << 20;
    absl::Duration patience = absl::Seconds(10);  // Then a message is refused.
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
  // Nobody waits any more.
  void Close();

 private:
  void OnRequest(RequestTopic topic, const std::string& name, std::string payload,
                 const Delivery& delivery);
  void OnUserMessage(std::string topic, std::string payload, size_t size_bytes,
                     const Delivery& delivery);
  bool Acquire(size_t bytes);
  void Free(size_t bytes);

  const Options options_;
  Journal& journal_;
  RequestLog& requests_;
  const NewId new_id_;
  const Sink sink_;
  Clock& clock_;
  BusMetrics& metrics_;
  const log::Logger log_;

  absl::Mutex mutex_;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool complained_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_INTAKE_H_
