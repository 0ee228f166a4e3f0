#include "services/lib/kubeclient/leader_election.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/random/random.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeclient {
namespace {

constexpr char kMicroTime[] = "%Y-%m-%dT%H:%M:%E6SZ";

std::string MicroTime(absl::Time time) {
  return absl::FormatTime(kMicroTime, time, absl::UTCTimeZone());
}

}  // namespace

LeaderElector::LeaderElector(Client& client, Clock& clock, Options options, Callbacks callbacks,
                             metrics::Registry& registry, log::Logger log)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      log_(log.With({{"lease", options_.lease_name}, {"identity", options_.identity}})),
      leading_gauge_(registry.Gauge("skerry_leader_election_leading", "1 while this process leads.",
                                    {{"lease", options_.lease_name}})) {}

LeaderElector::~LeaderElector() { Stop(); }

void LeaderElector::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void LeaderElector::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool LeaderElector::Sleep(absl::Duration delay) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), delay);
  return !stopping_;
}

void LeaderElector::Loop() {
  absl::BitGen random;
  bool running = true;
  while (running) {
    absl::Duration renewed = clock_.Monotonic();
    while (!AttemptBefore(renewed + options_.renew_deadline)) {
      running = Sleep(options_.retry_period * absl::Uniform(random, 1.0, 1.2));
      if (!running) return;
      renewed = clock_.Monotonic();
    }
    log_.Info("leading");
    leading_gauge_.Set(1);
    if (callbacks_.on_started) callbacks_.on_started();
    running = LeadSince(renewed);
    if (running) log_.Warning("lost the lease, no longer leading");
    if (callbacks_.on_stopped) callbacks_.on_stopped();
    leading_gauge_.Set(0);
    if (!running) Release();
  }
}

// Time counts from before an attempt: others count from when the write took place, which may be
// any time before its answer came.
bool LeaderElector::LeadSince(absl::Duration renewed) {
  while (true) {
    const absl::Duration deadline = renewed + options_.renew_deadline;
    const absl::Duration left = deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return true;
    if (!Sleep(std::min(options_.retry_period, left))) return false;
    const absl::Duration start = clock_.Monotonic();
    if (start >= deadline) return true;
    if (AttemptBefore(deadline)) renewed = start;
  }
}

bool LeaderElector::AttemptBefore(absl::Duration deadline) {
  attempt_deadline_ = deadline;
  const bool holds = TryAcquireOrRenew();
  attempt_deadline_ = absl::InfiniteDuration();
  return holds && clock_.Monotonic() < deadline;
}

// A call that hangs must leave time for another within the renew deadline, and none may outlast it.
absl::StatusOr<CallOptions> LeaderElector::Call() const {
  const absl::Duration left = attempt_deadline_ - clock_.Monotonic();
  if (left < absl::Milliseconds(1)) {
    return absl::DeadlineExceededError("no time left within the renew deadline");
  }
  return CallOptions{.timeout = std::min(options_.renew_deadline / 4, left)};
}

void LeaderElector::Observe(const KubeObject& lease) {
  const nlohmann::json json = lease.Json();
  std::string spec = kubeapi::DumpJson(kubeapi::ObjectAt(json, {"spec"}));
  if (spec != observed_spec_) {
    observed_spec_ = std::move(spec);
    observed_at_ = clock_.Monotonic();
  }
  if (callbacks_.on_observed)
    callbacks_.on_observed(kubeapi::StringAt(json, {"spec", "holderIdentity"}));
}

bool LeaderElector::TryAcquireOrRenew() {
  const absl::StatusOr<CallOptions> call = Call();
  if (!call.ok()) return false;
  std::optional<KubeObject> current;
  absl::StatusOr<KubeObject> lease =
      client_.Get(Leases(), options_.lease_namespace, options_.lease_name, *call);
  if (lease.ok()) {
    current = *std::move(lease);
    Observe(*current);
    const nlohmann::json json = current->Json();
    const std::string holder = kubeapi::StringAt(json, {"spec", "holderIdentity"});
    const absl::Duration duration = absl::Seconds(kubeapi::IntAt(
        json, {"spec", "leaseDurationSeconds"}, absl::ToInt64Seconds(options_.lease_duration)));
    const bool fresh = clock_.Monotonic() - observed_at_ < duration;
    if (!holder.empty() && holder != options_.identity && fresh) {
      held_.reset();
      return false;
    }
  } else if (!absl::IsNotFound(lease.status())) {
    log_.Warning("cannot read the lease", lease.status());
    return false;
  }
  absl::Status written = Write(current, options_.identity);
  if (written.ok()) return true;
  held_.reset();
  // Another replica was faster: as it should be.
  if (!absl::IsAborted(written) && !absl::IsAlreadyExists(written)) {
    log_.Warning("cannot write the lease", written);
  }
  return false;
}

absl::Status LeaderElector::Write(const std::optional<KubeObject>& current,
                                  absl::string_view holder) {
  SKERRY_ASSIGN_OR_RETURN(const CallOptions call, Call());
  const std::string now = MicroTime(clock_.Now());
  nlohmann::json lease;
  if (current.has_value()) {
    lease = current->Json();
  } else {
    lease = {
        {"apiVersion", "coordination.k8s.io/v1"},
        {"kind", "Lease"},
        {"metadata", {{"name", options_.lease_name}, {"namespace", options_.lease_namespace}}}};
  }
  const std::string before = kubeapi::StringAt(lease, {"spec", "holderIdentity"});
  nlohmann::json spec = kubeapi::ObjectAt(lease, {"spec"});
  const int64_t transitions = kubeapi::IntAt(spec, {"leaseTransitions"});
  if (before != holder) {
    spec["acquireTime"] = now;
    spec["leaseTransitions"] =
        current.has_value() && !holder.empty() ? transitions + 1 : transitions;
  }
  spec["holderIdentity"] = std::string(holder);
  spec["leaseDurationSeconds"] = holder.empty() ? 1 : absl::ToInt64Seconds(options_.lease_duration);
  spec["renewTime"] = now;
  lease["spec"] = std::move(spec);

  const std::string body = kubeapi::DumpJson(lease);
  absl::StatusOr<KubeObject> written =
      current.has_value()
          ? client_.Update(Leases(), options_.lease_namespace, options_.lease_name, body, "", call)
          : client_.Create(Leases(), options_.lease_namespace, body, call);
  if (!written.ok()) return written.status();
  held_ = *std::move(written);
  Observe(*held_);
  return absl::OkStatus();
}

void LeaderElector::Release() {
  if (!held_.has_value()) return;
  absl::Status released = Write(held_, "");
  held_.reset();
  if (!released.ok()) log_.Warning("cannot give up the lease", released);
}

}  // namespace skerry::kubeclient
