// Takes events from everywhere in edged, and keeps them until edgehub-svc has them.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_EVENT_RECORDER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_EVENT_RECORDER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/event_correlator.h"
#include "services/edged-svc/core/event_queue.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/metrics.h"
#include "services/lib/base/clock.h"

namespace skerry::edged {

// In memory: 512 events, beyond which the oldest goes. Any thread may call it.
class EventRecorder final : public EventSink {
 public:
  // `instance`: see EventCorrelator. clock and metrics outlive it.
  EventRecorder(std::string instance, Clock& clock, EdgedMetrics& metrics)
      : clock_(clock), metrics_(metrics), correlator_(std::move(instance)) {}

  void Record(const EventTarget& about, EventType type, absl::string_view reason,
              absl::string_view message) override;

  // ---- For who takes them to edgehub-svc.

  // Called, on any thread, when there is something to take.
  void SetWake(std::function<void()> wake);
  // The next batch; nothing while another is under way.
  std::vector<EventRecord> Take();
  // So many of the batch's first are stored, so many after them refused for good; the others wait
  // again.
  void Answered(size_t stored, size_t refused);

 private:
  Clock& clock_;
  EdgedMetrics& metrics_;
  absl::Mutex mutex_;
  EventCorrelator correlator_ ABSL_GUARDED_BY(mutex_);
  EventQueue queue_ ABSL_GUARDED_BY(mutex_){512, 64};
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_EVENT_RECORDER_H_
