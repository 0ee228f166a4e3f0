// One pod's worker, with a runtime and hooks that the test plays.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_FIXTURE_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/edged-svc/runner/pod_worker.h"
#include "services/edged-svc/store/sqlite_checkpoint_store.h"
#include "services/edged-svc/testing/fake_events.h"
#include "services/edged-svc/testing/fake_objects.h"
#include "services/edged-svc/testing/fake_runtime.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {

// Hooks and probes that run until the test ends them.
class HeldHandlers final : public HandlerRunner {
 public:
  std::vector<Done> running;
  void Run(Use, const std::string&, const std::string&, const Handler&, absl::Duration,
           Done done) override {
    running.push_back(std::move(done));
  }
};

// Pod "web" with the container "c", in the sandbox "s0", which is ready.
template <typename RuntimeType>
class PodWorkerFixture : public ::testing::Test {
 protected:
  PodWorkerFixture() {
    pod_.name_space = "default";
    pod_.name = "web";
    pod_.uid = "u1";
    pod_.containers.push_back({.name = "c"});
    input_.view.sandboxes.push_back({.id = "s0", .ready = true});
  }

  void Step() {
    input_.pod = std::make_shared<const PodSpec>(pod_);
    worker_->Step(input_);
  }
  // Of the one that runs.
  void EndHandler(const absl::Status& status) {
    ASSERT_EQ(handlers_.running.size(), 1u);
    HandlerRunner::Done done = std::move(handlers_.running.front());
    handlers_.running.clear();
    std::move(done)(status);
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  RuntimeType runtime_;
  PodFolders folders_{folder_.File("root"), folder_.File("logs")};
  std::unique_ptr<SqliteCheckpointStore> checkpoints_ =
      *SqliteCheckpointStore::Open(folder_.File("edged.db"));
  FakeObjects objects_;
  HeldHandlers handlers_;
  FakeEvents events_;
  WorkerDeps deps_{.runtime = runtime_,
                   .folders = folders_,
                   .checkpoints = *checkpoints_,
                   .objects = objects_,
                   .handlers = handlers_,
                   .events = events_,
                   .clock = clock_,
                   .log = log::Logger::Null(),
                   .poke = [](const std::string&) {},
                   .restarted = [] {},
                   .probe_late = [] {},
                   .probed = [](Prober::Kind, const absl::Status&) {}};
  PodSpec pod_;
  PodWorker::Input input_;
  std::shared_ptr<PodWorker> worker_ = std::make_shared<PodWorker>(deps_, "u1", std::nullopt);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_POD_WORKER_FIXTURE_H_
