// Kubernetes Events about objects, so that `kubectl describe` shows what an edge node refused.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_EVENT_RECORDER_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_EVENT_RECORDER_H_

#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/model/kube_object.h"

namespace skerry::kubeclient {

// Best effort, on a thread of its own: at 256 waiting events further ones are dropped and counted.
// The same thing said again raises the count of its Event. Any thread may call Warn.
class EventRecorder {
 public:
  // `component`: what the Events name as their source.
  EventRecorder(Client& client, absl::string_view component, Clock& clock,
                prometheus::Counter& dropped, log::Logger log);
  ~EventRecorder();  // Stop().

  void Warn(const KubeObject& about, absl::string_view node, absl::string_view reason,
            absl::string_view message);
  // Drops what waits. Idempotent.
  void Stop();

 private:
  absl::Status Record(const KubeObject& about, const std::string& node, const std::string& reason,
                      const std::string& message);

  Client& client_;
  const std::string component_;
  Clock& clock_;
  prometheus::Counter& dropped_;
  log::Logger log_;
  std::stop_source stop_;
  exec::ThreadPool pool_;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_EVENT_RECORDER_H_
