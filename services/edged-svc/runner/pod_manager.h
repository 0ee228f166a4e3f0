// All pods of the box: who has to take a step, and when.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_MANAGER_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_MANAGER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/metrics.h"
#include "services/edged-svc/runner/pod_worker.h"
#include "services/edged-svc/runner/report_sink.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"

namespace skerry::edged {

// Any thread may call it. One step per pod at a time, different pods in parallel on a bounded pool;
// nothing that a step waits for (a pull, a graceful stop, a probe) holds a thread. A pod takes no
// step before the box's store has named all its pods and the runtime was listed after the pod's
// last change.
class PodManager {
 public:
  struct Options {
    size_t pods_max = 110;
  };
  struct PodSummary {
    std::string key, uid, phase, message;
    int32_t restarts = 0;
    std::string cgroup;       // Of all its containers.
    std::string status_json;  // As last reported; empty: nothing was.
  };
  // A pod that the store has, what runs of it and what was said of it.
  struct PodState {
    std::shared_ptr<const PodSpec> pod;
    PodView view;
    PodStatus status;
  };

  // All references outlive Stop().
  PodManager(WorkerDeps deps, Options options, exec::ThreadPool& pool, exec::SerialExecutor& timers,
             ReportSink& reports, EdgedMetrics& metrics);
  ~PodManager();

  // Lists again, and the number that list will have. Before anything else.
  void SetRelist(std::function<uint64_t()> relist) { relist_ = std::move(relist); }
  // What was remembered from before a restart.
  void Restore(std::vector<PodCheckpoint> checkpoints);

  void PutPod(absl::string_view key, absl::string_view json);
  void DeletePod(absl::string_view key);
  // A ConfigMap or Secret of the namespace has changed.
  void ObjectChanged(absl::string_view name_space);
  // The store has named everything it holds. The first time this starts all pods and ends what
  // nobody knows.
  void Synced();
  void Relisted(uint64_t number, std::vector<PodView> pods);
  // Sends every status again.
  void ReportAll();

  std::vector<PodSummary> Summaries() const;
  // Full names of the images of all pods that run or are to run here; nullopt: not synced.
  std::optional<std::set<std::string>> Images() const;
  // The pod of that key ("namespace/name"); nothing where the store has none.
  std::optional<PodState> Find(const std::string& key) const;
  bool synced() const;
  // No further step begins; returns when none runs.
  void Stop();

 private:
  struct Entry {
    std::shared_ptr<PodWorker> worker;
    std::shared_ptr<const PodSpec> pod;
    std::string refusal;
    bool absent = true;  // The store does not name it.
    bool superseded =
        false;  // Another pod has its key: reports of this one would hide those of that.
    PodView view;
    uint64_t needed = 1;  // The list before which no step is taken.
    bool queued = false, running = false, again = false;
    exec::SerialExecutor::TimerId timer = 0;
    absl::Time timer_at = absl::InfiniteFuture();
    std::string reported;
    int64_t reported_generation = -1;
    PodStatus status;
  };

  Entry& EntryFor(const std::string& uid) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Adopt(const PodView& view) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Once, when both what should run and what does run are known.
  void RemoveStrayFolders() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Poke(const std::string& uid);
  void PokeLocked(const std::string& uid, Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunStep(const std::string& uid);
  void Report(const std::string& uid, Entry& entry, const PodSpec& pod,
              const PodWorker::Outcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetTimer(const std::string& uid, Entry& entry, absl::Time at)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountPhases() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  WorkerDeps deps_;
  const Options options_;
  exec::ThreadPool& pool_;
  exec::SerialExecutor& timers_;
  ReportSink& reports_;
  EdgedMetrics& metrics_;
  std::function<uint64_t()> relist_;

  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);  // By uid.
  std::map<std::string, std::string> uid_of_
      ABSL_GUARDED_BY(mutex_);  // Of the pod that the store has at a key.
  uint64_t listed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<PodView> unclaimed_ ABSL_GUARDED_BY(mutex_);  // Listed, and nobody's so far.
  uint64_t objects_revision_ ABSL_GUARDED_BY(mutex_) = 1;
  bool synced_ ABSL_GUARDED_BY(mutex_) = false;
  bool strays_removed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_MANAGER_H_
