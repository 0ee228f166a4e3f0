#include "services/cloudhub-svc/sessions/sync_gate.h"

#include <utility>

namespace skerry::cloudhub {

SyncGate::SyncGate(const Admission::Config& config, Clock& clock, CloudHubMetrics& metrics)
    : clock_(clock), metrics_(metrics), admission_(config) {}

SyncGate::Answer SyncGate::Arrive(const std::string& node, Tell tell) {
  Answer answer;
  std::vector<Verdict> verdicts;
  {
    absl::MutexLock lock(&mutex_);
    answer.id = ++last_id_;
    waiting_[answer.id] = std::move(tell);
    verdicts = admission_.Arrive(answer.id, node, clock_.Monotonic());
  }
  answer.verdict = Deliver(verdicts, answer.id);
  return answer;
}

SyncGate::Answer SyncGate::AwaitSync(Tell tell) {
  Answer answer;
  std::vector<Verdict> verdicts;
  {
    absl::MutexLock lock(&mutex_);
    answer.id = ++last_id_;
    waiting_[answer.id] = std::move(tell);
    verdicts = admission_.AwaitSync(answer.id, clock_.Monotonic());
  }
  answer.verdict = Deliver(verdicts, answer.id);
  return answer;
}

void SyncGate::Begin(Id id) {
  absl::MutexLock lock(&mutex_);
  admission_.Begin(id, clock_.Monotonic());
}

void SyncGate::Leave(Id id) {
  std::vector<Verdict> verdicts;
  {
    absl::MutexLock lock(&mutex_);
    waiting_.erase(id);
    verdicts = admission_.Leave(id, clock_.Monotonic());
  }
  Deliver(verdicts);
}

bool SyncGate::HasPlace(Id id) const {
  absl::MutexLock lock(&mutex_);
  return admission_.HasPlace(id);
}

bool SyncGate::Tick() {
  std::vector<Verdict> verdicts;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    verdicts = admission_.Tick(clock_.Monotonic());
    more = admission_.syncs() + admission_.waiting() != 0;
  }
  Deliver(verdicts);
  return more;
}

std::optional<SyncGate::Verdict> SyncGate::Deliver(const std::vector<Verdict>& verdicts, Id asker) {
  std::optional<Verdict> own;
  std::vector<std::pair<Tell, Verdict>> told;
  {
    absl::MutexLock lock(&mutex_);
    for (const Verdict& verdict : verdicts) {
      if (!verdict.admitted) metrics_.Refused("OVERLOADED");
      auto waiting = waiting_.find(verdict.id);
      if (waiting == waiting_.end()) continue;  // It has just left.
      if (verdict.id == asker) {
        own = verdict;
      } else {
        told.emplace_back(std::move(waiting->second), verdict);
      }
      waiting_.erase(waiting);
    }
    metrics_.Admission(admission_.syncs(), admission_.waiting(), admission_.tickets());
    metrics_.SyncOverruns(admission_.overruns() - std::exchange(overruns_, admission_.overruns()));
  }
  for (const auto& [tell, verdict] : told) tell(verdict);
  return own;
}

}  // namespace skerry::cloudhub
