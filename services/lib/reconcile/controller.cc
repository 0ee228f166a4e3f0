#include "services/lib/reconcile/controller.h"

#include <optional>
#include <utility>

namespace skerry::reconcile {
namespace {

Queue::Options Reporting(Queue::Options options, ControllerMetrics& metrics) {
  options.on_waiting = [&metrics](size_t keys) { metrics.Waiting(keys); };
  return options;
}

}  // namespace

ControllerMetrics::ControllerMetrics(metrics::Registry& registry, absl::string_view controller)
    : seconds_(registry.Histogram("skerry_reconcile_seconds", "Time of one reconciliation.",
                                  metrics::LatencyBounds(),
                                  {{"controller", std::string(controller)}})),
      waiting_(registry.Gauge("skerry_reconcile_waiting",
                              "Objects that are due and wait for a worker.",
                              {{"controller", std::string(controller)}})) {
  constexpr std::array<const char*, 4> kResults = {"success", "recheck", "retry", "terminal"};
  for (size_t i = 0; i < kResults.size(); ++i) {
    results_[i] =
        &registry.Counter("skerry_reconcile_total", "Reconciliations by result.",
                          {{"controller", std::string(controller)}, {"result", kResults[i]}});
  }
}

void ControllerMetrics::Observe(Result result, absl::Duration took) {
  results_[static_cast<size_t>(result)]->Increment();
  seconds_.Observe(absl::ToDoubleSeconds(took));
}

Controller::Controller(Options options, Clock& clock, ControllerMetrics& metrics, log::Logger log,
                       Reconciler reconciler)
    : options_(std::move(options)),
      clock_(clock),
      metrics_(metrics),
      log_(log.With({{"controller", options_.name}})),
      reconciler_(std::move(reconciler)),
      queue_(clock, Reporting(options_.queue, metrics)) {}

Controller::~Controller() { Stop(); }

void Controller::Start() {
  for (size_t i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { Work(); });
}

void Controller::Stop() {
  queue_.Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  metrics_.Waiting(0);  // They are forgotten.
}

void Controller::Work() {
  while (std::optional<std::string> key = queue_.Take()) {
    const absl::Duration start = clock_.Monotonic();
    absl::StatusOr<Outcome> outcome = reconciler_(*key);
    const absl::Duration took = clock_.Monotonic() - start;
    const Result result = queue_.Finish(*key, outcome);
    metrics_.Observe(result, took);
    if (result == Result::kRetry) {
      log_.Warning("reconciliation failed, will retry", outcome.status(), {{"key", *key}});
    } else if (result == Result::kTerminal) {
      log_.Error("reconciliation failed for good", outcome.status(), {{"key", *key}});
    }
  }
}

}  // namespace skerry::reconcile
