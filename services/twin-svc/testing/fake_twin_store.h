// A TwinStore in memory that fails when told to.
#ifndef SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_TWIN_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_TWIN_STORE_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/twin-svc/store/twin_store.h"

namespace skerry::twin {

class FakeTwinStore final : public TwinStore {
 public:
  absl::StatusOr<StoredTwins> Load() override {
    absl::MutexLock lock(&mutex_);
    return stored_;
  }
  absl::Status Save(const std::vector<TwinUpdate>& updates) override {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&open_));
    if (!failure_.ok()) return failure_;
    ++saves_;
    for (const TwinUpdate& update : updates) {
      for (const std::string& value : update.readings) {
        readings_.push_back({update.device.value(), value});
        ++state_.last;
      }
      if (update.twin == nullptr) {
        const auto it = stored_.twins.find(update.device);
        if (it == stored_.twins.end()) continue;
        stored_.version_floor = std::max(stored_.version_floor, it->second.version);
        stored_.twins.erase(it);
        stored_.reported.erase(update.device);
        continue;
      }
      Twin& twin = stored_.twins[update.device];
      twin.uid = update.twin->uid;
      twin.generation = update.twin->generation;
      twin.version = update.twin->version;
      twin.write_ids = update.twin->write_ids;
      twin.revision = update.twin->revision;
      twin.state = update.twin->state;
      for (const std::string& name : update.properties) {
        const auto property = update.twin->properties.find(name);
        if (property == update.twin->properties.end()) {
          twin.properties.erase(name);
        } else {
          twin.properties[name] = property->second;
        }
      }
    }
    return absl::OkStatus();
  }

  // On the thread that saves, as SqliteTwinStore has it.
  const ReadingState& readings() const override { return state_; }
  int64_t SizeBytes() override { return 4096; }
  absl::Status SaveProgress(const Progress& progress) override {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    for (const auto& [device, revision] : progress.reported) {
      if (stored_.twins.count(device) > 0) stored_.reported[device] = revision;
    }
    state_.sent = std::clamp(progress.readings_sent, state_.sent, state_.last);
    return absl::OkStatus();
  }
  absl::StatusOr<bool> DropExpiredReadings() override { return false; }

  // Device and serialized v1::Readings, in order.
  std::vector<std::pair<std::string, std::string>> stored_readings() {
    absl::MutexLock lock(&mutex_);
    return readings_;
  }

  // From now on every Save fails with `failure`, or none.
  void Fail(absl::Status failure) {
    absl::MutexLock lock(&mutex_);
    failure_ = failure;
  }
  // While closed, a Save waits.
  void SetOpen(bool open) {
    absl::MutexLock lock(&mutex_);
    open_ = open;
  }
  int saves() {
    absl::MutexLock lock(&mutex_);
    return saves_;
  }

 private:
  absl::Mutex mutex_;
  StoredTwins stored_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  int saves_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::pair<std::string, std::string>> readings_ ABSL_GUARDED_BY(mutex_);
  ReadingState state_{.producer = "fake"};  // Of the thread that saves.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_TWIN_STORE_H_
