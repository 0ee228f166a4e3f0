// Workers that reconcile what a queue names.
#ifndef SKERRY_SERVICES_LIB_RECONCILE_CONTROLLER_H_
#define SKERRY_SERVICES_LIB_RECONCILE_CONTROLLER_H_

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/reconcile/outcome.h"
#include "services/lib/reconcile/queue.h"

namespace skerry::reconcile {

// skerry_reconcile_total{controller,result}, skerry_reconcile_seconds{controller} and
// skerry_reconcile_waiting{controller}. One per
// controller name and registry; may outlive many controllers of that name.
class ControllerMetrics {
 public:
  ControllerMetrics(metrics::Registry& registry, absl::string_view controller);
  void Observe(Result result, absl::Duration took);
  void Waiting(size_t keys) { waiting_.Set(static_cast<double>(keys)); }

 private:
  std::array<prometheus::Counter*, 4> results_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& waiting_;
};

// Owns the queue and its workers. Any thread may Add. The reconciler runs on the workers' threads,
// never twice at a time for one key, may block, and must outlive Stop(). It takes a name, reads the
// state itself and never hears of events.
class Controller {
 public:
  struct Options {
    std::string name;  // Closed set: a metric label.
    size_t workers = 4;
    Queue::Options queue;
  };
  using Reconciler = std::function<absl::StatusOr<Outcome>(const std::string& key)>;

  // `clock` and `metrics` outlive the controller.
  Controller(Options options, Clock& clock, ControllerMetrics& metrics, log::Logger log,
             Reconciler reconciler);
  ~Controller();  // Stop().
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  void Start();
  // Lets running reconciliations end, joins. Keys that wait are forgotten. Idempotent.
  void Stop();

  bool Add(absl::string_view key) { return queue_.Add(key); }
  bool AddAfter(absl::string_view key, absl::Duration delay) { return queue_.AddAfter(key, delay); }
  const Queue& queue() const { return queue_; }

 private:
  void Work();

  const Options options_;
  Clock& clock_;
  ControllerMetrics& metrics_;
  log::Logger log_;
  Reconciler reconciler_;
  Queue queue_;
  std::vector<std::thread> threads_;
};

}  // namespace skerry::reconcile

#endif  // SKERRY_SERVICES_LIB_RECONCILE_CONTROLLER_H_
