// One leader among replicas, by a coordination Lease.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_LEADER_ELECTION_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_LEADER_ELECTION_H_

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"

namespace skerry::kubeclient {

// Whether this process leads, by the rules of client-go: a lease that another holds is stale when
// it has not changed for its duration as measured here (clocks of machines are never compared); a
// leader that could not renew for renew_deadline, which is shorter by a retry_period at least,
// stops leading by itself, counted from the begin of its last successful attempt.
// on_started and on_stopped run on the elector's thread, strictly in turn; on_started must return
// soon; on_stopped must return only when nothing of the leader's work runs any more. `client` and
// `clock` outlive it.
class LeaderElector {
 public:
  struct Options {
    std::string lease_namespace;
    std::string lease_name;
    std::string identity;  // Unique for each process.
    absl::Duration lease_duration = absl::Seconds(15);
    absl::Duration renew_deadline = absl::Seconds(10);
    absl::Duration retry_period = absl::Seconds(2);
  };
  struct Callbacks {
    std::function<void()> on_started;
    std::function<void()> on_stopped;
    std::function<void(absl::string_view identity)>
        on_observed;  // Optional. The lease was read; who has it.
  };

  LeaderElector(Client& client, Clock& clock, Options options, Callbacks callbacks,
                metrics::Registry& registry, log::Logger log);
  ~LeaderElector();  // Stop().
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  void Start();
  // Calls on_stopped if leading, gives the lease up so that another takes over at once. Idempotent.
  void Stop();

  // One attempt to get or keep the lease; true if this process holds it now. Called by the own
  // thread; public for tests of the rules.
  bool TryAcquireOrRenew();
  // Gives up a held lease. As TryAcquireOrRenew.
  void Release();

 private:
  void Loop();
  // Renews until the lease is lost (true) or the elector stops (false); `renewed` is when the
  // successful attempt began. Returns at most renew_deadline after the last such begin.
  bool LeadSince(absl::Duration renewed);
  // TryAcquireOrRenew whose calls end by `deadline` (monotonic); true if it held the lease by then.
  bool AttemptBefore(absl::Duration deadline);
  absl::StatusOr<CallOptions> Call() const;
  bool Sleep(absl::Duration delay);
  absl::Status Write(const std::optional<KubeObject>& current, absl::string_view holder);
  void Observe(const KubeObject& lease);

  Client& client_;
  Clock& clock_;
  const Options options_;
  const Callbacks callbacks_;
  log::Logger log_;
  prometheus::Gauge& leading_gauge_;

  // Of the elector's thread.
  absl::Duration attempt_deadline_ = absl::InfiniteDuration();
  std::string observed_spec_;
  absl::Duration observed_at_;
  std::optional<KubeObject> held_;  // The lease as last written by this process.

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_LEADER_ELECTION_H_
