#include "services/edged-svc/runner/pod_manager.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/image_name.h"
#include "services/edged-svc/core/pod_cgroup.h"
#include "services/edged-svc/core/pod_parser.h"
#include "services/edged-svc/core/status_json.h"
#include "services/edged-svc/runner/prober.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kPoolFullRetry = absl::Milliseconds(200);

}  // namespace

PodManager::PodManager(WorkerDeps deps, Options options, exec::ThreadPool& pool,
                       exec::SerialExecutor& timers, ReportSink& reports, EdgedMetrics& metrics)
    : deps_(std::move(deps)),
      options_(options),
      pool_(pool),
      timers_(timers),
      reports_(reports),
      metrics_(metrics) {
  deps_.poke = [this](const std::string& uid) { Poke(uid); };
  deps_.restarted = [this] { metrics_.ContainerRestarted(); };
  deps_.probe_late = [this] { metrics_.ProbeLate(); };
  deps_.probed = [this](Prober::Kind kind, const absl::Status& status) {
    metrics_.Probed(Prober::Name(kind), status.ok()                   ? "ok"
                                        : Prober::SaysNothing(status) ? "unknown"
                                                                      : "failed");
  };
}

PodManager::~PodManager() { Stop(); }

PodManager::Entry& PodManager::EntryFor(const std::string& uid) {
  const auto [it, added] = entries_.try_emplace(uid);
  if (added) it->second.worker = std::make_shared<PodWorker>(deps_, uid, std::nullopt);
  return it->second;
}

void PodManager::Restore(std::vector<PodCheckpoint> checkpoints) {
  absl::MutexLock lock(&mutex_);
  for (PodCheckpoint& checkpoint : checkpoints) {
    PodSpec known;
    known.uid = checkpoint.uid;
    known.name_space = checkpoint.name_space;
    known.name = checkpoint.name;
    known.termination_grace_seconds = checkpoint.grace_seconds;
    Entry& entry = entries_[checkpoint.uid];
    entry.status = PodStatusFromJson(checkpoint.status_json);
    entry.pod = std::make_shared<const PodSpec>(std::move(known));
    const std::string uid = checkpoint.uid;
    entry.worker = std::make_shared<PodWorker>(deps_, uid, std::move(checkpoint));
  }
}

void PodManager::PutPod(absl::string_view key, absl::string_view json) {
  absl::StatusOr<PodSpec> parsed = ParsePod(json);
  PodSpec pod = parsed.ok() ? *std::move(parsed) : ParsePodIdentity(json);
  if (pod.uid.empty() || pod.key() != key) {
    metrics_.ObjectRefused();
    deps_.log.Error("pod object ignored: it does not say which pod it is", parsed.status(),
                    {{"pod", key}});
    return;
  }
  absl::MutexLock lock(&mutex_);
  std::string& current = uid_of_[std::string(key)];
  if (!current.empty() && current != pod.uid) {
    if (const auto before = entries_.find(current); before != entries_.end()) {
      before->second.absent = before->second.superseded = true;
      PokeLocked(before->first, before->second);
    }
  }
  current = pod.uid;
  const bool known = entries_.contains(pod.uid);
  const bool full = !known && entries_.size() >= options_.pods_max;
  Entry& entry = EntryFor(pod.uid);
  entry.absent = false;
  entry.refusal.clear();
  if (!parsed.ok()) {
    metrics_.ObjectRefused();
    deps_.log.Error("pod refused", parsed.status(), {{"pod", key}});
    entry.refusal = std::string(parsed.status().message());
    if (entry.pod != nullptr && !entry.pod->containers.empty()) {
      // It runs by an earlier object: that stays, but for its deletion.
      PodSpec earlier = *entry.pod;
      earlier.deletion_time = pod.deletion_time;
      earlier.deletion_grace_seconds = pod.deletion_grace_seconds;
      pod = std::move(earlier);
      entry.refusal.clear();
    }
  } else if (full) {
    entry.refusal = absl::StrCat(
        "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: ",
        entries_.size() - 1, ", capacity: ", options_.pods_max);
  }
  entry.pod = std::make_shared<const PodSpec>(std::move(pod));
  ++objects_revision_;
  PokeLocked(entry.pod->uid, entry);
}

void PodManager::DeletePod(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  const auto current = uid_of_.find(std::string(key));
  if (current == uid_of_.end()) return;
  if (const auto it = entries_.find(current->second); it != entries_.end()) {
    it->second.absent = true;
    PokeLocked(it->first, it->second);
  }
  uid_of_.erase(current);
}

void PodManager::ObjectChanged(absl::string_view name_space) {
  absl::MutexLock lock(&mutex_);
  ++objects_revision_;
  for (auto& [uid, entry] : entries_) {
    if (entry.pod != nullptr && entry.pod->name_space == name_space) PokeLocked(uid, entry);
  }
}

void PodManager::Adopt(const PodView& view) {
  // Made by us and named by nobody: only its own labels tell what it is.
  PodSpec pod;
  pod.uid = view.uid;
  pod.name_space = view.name_space;
  pod.name = view.name;
  deps_.log.Warning("orphaned pod found: it is removed", {{"pod", pod.key()}, {"uid", pod.uid}});
  Entry& entry = EntryFor(view.uid);
  entry.pod = std::make_shared<const PodSpec>(std::move(pod));
  entry.view = view;
  entry.superseded = uid_of_.contains(entry.pod->key());
  PokeLocked(view.uid, entry);
}

void PodManager::Synced() {
  absl::MutexLock lock(&mutex_);
  if (synced_) return;
  synced_ = true;
  for (const PodView& view : unclaimed_) {
    if (!entries_.contains(view.uid)) Adopt(view);
  }
  unclaimed_.clear();
  RemoveStrayFolders();
  for (auto& [uid, entry] : entries_) {
    if (entry.absent && entry.pod != nullptr)
      entry.superseded = uid_of_.contains(entry.pod->key()) && uid_of_[entry.pod->key()] != uid;
    PokeLocked(uid, entry);
  }
}

void PodManager::RemoveStrayFolders() {
  // Before the first list a folder may still be in use by a container that nobody has told of.
  if (!synced_ || listed_ == 0 || std::exchange(strays_removed_, true)) return;
  for (const std::string& uid : deps_.folders.List()) {
    if (entries_.contains(uid)) continue;
    PodSpec pod;
    pod.uid = uid;
    const absl::Status status = deps_.folders.Remove(pod);
    if (!status.ok())
      deps_.log.Warning("folder of an unknown pod not removed", status, {{"uid", uid}});
  }
}

bool PodManager::synced() const {
  absl::MutexLock lock(&mutex_);
  return synced_;
}

void PodManager::Relisted(uint64_t number, std::vector<PodView> pods) {
  absl::MutexLock lock(&mutex_);
  listed_ = number;
  std::set<std::string> seen;
  unclaimed_.clear();
  for (PodView& view : pods) {
    seen.insert(view.uid);
    const auto it = entries_.find(view.uid);
    if (it == entries_.end()) {
      if (synced_) {
        Adopt(view);
      } else {
        unclaimed_.push_back(std::move(view));
      }
      continue;
    }
    const bool changed = it->second.view != view;
    it->second.view = std::move(view);
    if (changed || it->second.again) PokeLocked(it->first, it->second);
  }
  for (auto& [uid, entry] : entries_) {
    if (seen.contains(uid)) continue;
    const bool changed = entry.view != PodView{};
    entry.view = {};
    if (changed || entry.again) PokeLocked(uid, entry);
  }
  RemoveStrayFolders();
}

void PodManager::Poke(const std::string& uid) {
  absl::MutexLock lock(&mutex_);
  const auto it = entries_.find(uid);
  if (it != entries_.end()) PokeLocked(uid, it->second);
}

void PodManager::PokeLocked(const std::string& uid, Entry& entry) {
  if (!synced_ || stopping_ || entry.queued || entry.pod == nullptr) return;
  if (entry.running || listed_ < entry.needed) {
    entry.again = true;  // When the step has ended, or the list has come.
    return;
  }
  entry.again = false;
  entry.queued = pool_.TrySubmit([this, uid] { RunStep(uid); });
  if (!entry.queued) SetTimer(uid, entry, deps_.clock.Now() + kPoolFullRetry);
}

void PodManager::RunStep(const std::string& uid) {
  PodWorker::Input input;
  std::shared_ptr<PodWorker> worker;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = entries_.find(uid);
    if (it == entries_.end()) return;
    Entry& entry = it->second;
    entry.queued = false;
    if (stopping_) return;
    entry.running = true;
    ++running_;
    worker = entry.worker;
    input.pod = entry.pod;
    input.refusal = entry.refusal;
    input.absent = entry.absent;
    input.view = entry.view;
    input.objects_revision = objects_revision_;
  }
  PodWorker::Outcome outcome = worker->Step(input);
  const uint64_t needed = outcome.changed ? relist_() : 0;
  absl::MutexLock lock(&mutex_);
  --running_;
  const auto it = entries_.find(uid);
  Entry& entry = it->second;
  entry.running = false;
  entry.needed = std::max(entry.needed, needed);
  entry.status = outcome.status;
  Report(uid, entry, *input.pod, outcome);
  if (outcome.gone) {
    entries_.erase(it);
    CountPhases();
    return;
  }
  SetTimer(uid, entry, outcome.next_step);
  CountPhases();
  // After a change the next list decides; that is also when the pod looks again.
  if (outcome.changed) entry.again = true;
  if (entry.again) PokeLocked(uid, entry);
}

void PodManager::Report(const std::string& uid, Entry& entry, const PodSpec& pod,
                        const PodWorker::Outcome& outcome) {
  if (entry.superseded || pod.name.empty()) return;
  const std::string value = absl::StrCat(outcome.gone ? "gone " : "", outcome.status_json);
  if (value == entry.reported && pod.generation == entry.reported_generation) return;
  entry.reported = value;
  entry.reported_generation = pod.generation;
  reports_.ReportPod(pod.key(), uid, pod.generation, outcome.status_json, outcome.gone);
}

void PodManager::ReportAll() {
  absl::MutexLock lock(&mutex_);
  for (auto& [uid, entry] : entries_) {
    if (entry.superseded || entry.pod == nullptr || entry.reported.empty()) continue;
    reports_.ReportPod(entry.pod->key(), uid, entry.reported_generation, entry.reported, false);
  }
}

void PodManager::SetTimer(const std::string& uid, Entry& entry, absl::Time at) {
  if (entry.timer_at == at) return;
  if (entry.timer != 0) timers_.Cancel(entry.timer);
  entry.timer = 0;
  entry.timer_at = at;
  if (at == absl::InfiniteFuture()) return;
  const absl::Duration delay = std::max(absl::ZeroDuration(), at - deps_.clock.Now());
  entry.timer = timers_.PostAfter(delay, [this, uid] {
    absl::MutexLock lock(&mutex_);
    const auto it = entries_.find(uid);
    if (it == entries_.end()) return;
    it->second.timer = 0;
    it->second.timer_at = absl::InfiniteFuture();
    PokeLocked(uid, it->second);
  });
}

void PodManager::CountPhases() {
  std::map<std::string, int> phases;
  for (const auto& [uid, entry] : entries_) ++phases[entry.status.phase];
  metrics_.SetPods(phases);
}

std::vector<PodManager::PodSummary> PodManager::Summaries() const {
  absl::MutexLock lock(&mutex_);
  std::vector<PodSummary> out;
  for (const auto& [uid, entry] : entries_) {
    if (entry.pod == nullptr || entry.superseded) continue;
    PodSummary summary{entry.pod->key(), uid, entry.status.phase, entry.status.message};
    summary.cgroup = PodCgroup(deps_.cgroup_parent, *entry.pod);
    summary.status_json = entry.reported;
    for (const auto* list : {&entry.status.init_containers, &entry.status.containers}) {
      for (const ContainerStatus& c : *list) {
        summary.restarts += c.restart_count;
        if (c.state.kind == ContainerState::Kind::kWaiting && summary.message.empty())
          summary.message = absl::StrCat(c.name, ": ", c.state.reason,
                                         c.state.message.empty() ? "" : ": ", c.state.message);
      }
    }
    out.push_back(std::move(summary));
  }
  std::sort(out.begin(), out.end(),
            [](const PodSummary& a, const PodSummary& b) { return a.key < b.key; });
  return out;
}

std::optional<std::set<std::string>> PodManager::Images() const {
  absl::MutexLock lock(&mutex_);
  if (!synced_) return std::nullopt;
  std::set<std::string> out;
  for (const auto& [uid, entry] : entries_) {
    if (entry.absent || entry.pod == nullptr || entry.status.terminal()) continue;
    for (const auto* list : {&entry.pod->init_containers, &entry.pod->containers}) {
      for (const ContainerSpec& container : *list) out.insert(FullImageName(container.image));
    }
  }
  return out;
}

std::optional<PodManager::PodState> PodManager::Find(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  const auto uid = uid_of_.find(key);
  if (uid == uid_of_.end()) return std::nullopt;
  const auto it = entries_.find(uid->second);
  if (it == entries_.end() || it->second.pod == nullptr) return std::nullopt;
  return PodState{it->second.pod, it->second.view, it->second.status};
}

void PodManager::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  mutex_.Await(absl::Condition(
      +[](size_t* running) { return *running == 0; }, &running_));
}

}  // namespace skerry::edged
