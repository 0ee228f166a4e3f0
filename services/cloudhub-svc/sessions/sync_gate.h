// The admission of one hub, for its shards.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SYNC_GATE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SYNC_GATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/core/admission.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/lib/base/clock.h"

namespace skerry::cloudhub {

// Any thread may call it; what it refers to outlives it.
class SyncGate {
 public:
  using Id = Admission::Id;
  using Verdict = Admission::Verdict;
  // Called at most once, on any thread; it must only post.
  using Tell = std::function<void(const Verdict& verdict)>;

  SyncGate(const Admission::Config& config, Clock& clock, CloudHubMetrics& metrics);

  // As of Admission. The verdict, or none yet: then `tell` hears it.
  struct Answer {
    Id id = 0;
    std::optional<Verdict> verdict;
  };
  Answer Arrive(const std::string& node, Tell tell);
  Answer AwaitSync(Tell tell);
  void Begin(Id id);
  void Leave(Id id);
  bool HasPlace(Id id) const;
  // True while there is something to wait for: then call it again in a while.
  bool Tick();

 private:
  // Tells everybody but `asker`, whose verdict it returns.
  std::optional<Verdict> Deliver(const std::vector<Verdict>& verdicts, Id asker = 0);

  Clock& clock_;
  CloudHubMetrics& metrics_;
  mutable absl::Mutex mutex_;
  Admission admission_ ABSL_GUARDED_BY(mutex_);
  Id last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<Id, Tell> waiting_ ABSL_GUARDED_BY(mutex_);
  uint64_t overruns_ ABSL_GUARDED_BY(mutex_) = 0;  // That were counted.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SYNC_GATE_H_
