// twin-svc in the twins' simulation: its desk and follower, what its disk has committed, and its
// users on the box.
#ifndef SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_PROCESS_H_
#define SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_PROCESS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/link/testing/simulation.h"
#include "services/lib/model/names.h"
#include "services/lib/testing/fake_clock.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/runner/device_follower.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/simulation/device_cloud.h"
#include "services/twin-svc/simulation/device_copies.h"
#include "services/twin-svc/simulation/twin_rule.h"
#include "services/twin-svc/testing/fake_twin_store.h"

namespace skerry::twin {

// What is given to the desk is noted, and when its fate is known (committed, refused, lost) told to
// a TwinRule of the device, to which the desk's twin must be equal at any time. The desk has its
// thread; this one waits for it, so a seed is the same run every time. The simulation's thread.
class TwinProcess {
 public:
  TwinProcess(TwinMetrics& metrics, const DeviceCloud& cloud) : metrics_(metrics), cloud_(cloud) {}

  void Enter(link::testing::Simulation& simulation);

  // With what is committed; the watch has begun anew.
  void Start();
  // Its users hear nothing more. `committed`: the disk has what was on its way to it.
  void Crash(bool committed);
  // What the watch of edge-meta-svc tells.
  void Take(const DeviceCopies::Event& event);
  // Somebody on the box writes, or sends again.
  void UserActs();
  // The clock of the box is set.
  void ClockJumps();
  // While the disk is slow commits wait, and then go on; while it is full they fail.
  void SetDiskSlow(bool slow);
  void SetDiskFull(bool full);
  bool running() const { return desk_ != nullptr; }

  // The devices whose twins have changed since; all, after a start.
  std::set<std::string>& changed() { return changed_; }
  const std::set<std::string>& changed() const { return changed_; }
  // The twin as it is committed; null where there is none, or twin-svc does not run.
  TwinPtr TwinOf(const std::string& key) const;

  bool unheard() const { return !unheard_.empty(); }
  bool quiet() const { return pending_.empty() && unheard_.empty(); }
  // For the devices that the cloud has bound to this node: all are here and no other is, and of
  // each value that people wrote ADR 30 holds from the cloud's manifests to the box's twin.
  void CheckFinal();

 private:
  // What was given to the desk, while its fate is not known.
  struct Pending {
    std::string key;
    std::optional<Declaration> declaration;
    std::optional<Write> write;  // Neither: the device is gone.
    std::map<std::string, uint64_t> stamps;
    bool again = false;  // It was answered before.
    std::shared_ptr<std::optional<absl::Status>> answer;
  };
  struct Unheard {
    std::string key;
    Write write;
    std::map<std::string, uint64_t> stamps;
  };

  // `again`: it was answered before.
  void Submit(const std::string& key, Write write, std::map<std::string, uint64_t> stamps,
              bool again = false);
  void AwaitDeclared(const std::string& key);
  // Once the desk has done what it was given, unless the disk is slow.
  void Settle();
  // Returns when the desk has tried to commit everything that it was given.
  void AwaitDesk();
  // It is committed: so the rule says what the twin must be.
  void Committed(const Pending& pending, bool heard);
  void CheckTwins();
  void CheckNotOlder(const std::string& key, const Twin& twin);
  void CheckPromise(const std::string& key, const DeviceCloud::Device& device);
  Write RandomWrite(const std::string& key, std::map<std::string, uint64_t>& stamps);
  Value NextValue(const char* writer);
  uint64_t Random(uint64_t bound) { return simulation_->Random(bound); }
  void Fail(const std::string& key, const std::string& what);

  TwinMetrics& metrics_;
  const DeviceCloud& cloud_;
  link::testing::Simulation* simulation_ = nullptr;
  testing::FakeClock clock_;

  // Durable, and what is known of it.
  FakeTwinStore store_;
  std::map<std::string, TwinRule> rules_;
  std::map<std::string, Twin> newest_;  // That was seen of each key.
  uint64_t last_stamp_ = 0;
  bool slow_ = false;
  bool full_ = false;

  // The process.
  std::unique_ptr<TwinDesk> desk_;
  std::unique_ptr<DeviceFollower> follower_;
  std::set<std::string> told_;  // Devices that the follower was told of.
  std::deque<Pending> pending_;
  std::set<std::string> changed_;
  absl::Mutex mutex_;
  std::set<std::string> published_ ABSL_GUARDED_BY(mutex_);  // By the desk's thread.

  // Its users.
  std::deque<Unheard> unheard_;
  uint64_t last_value_ = 0;
  uint64_t last_id_ = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_SIMULATION_TWIN_PROCESS_H_
