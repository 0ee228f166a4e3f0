#include "services/lib/kubeapi/definition_follower.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);

}  // namespace

// One watch. The store may still be calling it when the follower ends.
class DefinitionFollower::Sink final : public WatchSink {
 public:
  explicit Sink(DefinitionFollower* follower) : follower_(follower) {}

  void Detach() {
    absl::MutexLock lock(&mutex_);
    follower_ = nullptr;
  }

  bool OnChange(const Change& change) override {
    absl::MutexLock lock(&mutex_);
    if (follower_ == nullptr) return false;
    if (change.kind == ChangeKind::kDeleted) {
      follower_->registry_.RemoveCustom(change.key.name, change.revision);
    } else {
      follower_->Serve(change.key.name, change.object, change.revision);
    }
    return true;
  }
  bool OnProgress(StoreRevision) override { return true; }
  // The log has moved on without it (or the store ends).
  void OnClosed(const absl::Status&) override {
    absl::MutexLock lock(&mutex_);
    if (follower_ == nullptr) return;
    DefinitionFollower* const follower = follower_;
    follower->executor_.Post([follower] { follower->FollowAgain(); });
  }

 private:
  absl::Mutex mutex_;
  DefinitionFollower* follower_ ABSL_GUARDED_BY(mutex_);
};

DefinitionFollower::DefinitionFollower(ObjectStore& store, ResourceRegistry& registry, Clock& clock,
                                       log::Logger log)
    : store_(store), registry_(registry), log_(std::move(log)), executor_("definitions", clock) {}

DefinitionFollower::~DefinitionFollower() {
  executor_.Stop();
  Detach();
}

void DefinitionFollower::Detach() {
  if (sink_ == nullptr) return;
  sink_->Detach();
  store_.CancelWatch(watch_);
  sink_ = nullptr;
}

absl::Status DefinitionFollower::Start() {
  absl::Status status;
  executor_.Run([this, &status] { status = Follow(); });
  return status;
}

absl::Status DefinitionFollower::Follow() {
  Detach();
  SKERRY_ASSIGN_OR_RETURN(const ListPage page, store_.List({.resource = kDefinitionsStorage}));
  std::set<std::string> names;
  for (const StoredObject& stored : page.items) {
    names.insert(stored.key.name);
    Serve(stored.key.name, stored.json, stored.revision);
  }
  registry_.KeepCustom(names, page.revision);
  auto sink = std::make_shared<Sink>(this);
  SKERRY_ASSIGN_OR_RETURN(
      watch_, store_.Watch({.resource = kDefinitionsStorage, .after = page.revision}, sink));
  sink_ = std::move(sink);
  return absl::OkStatus();
}

void DefinitionFollower::FollowAgain() {
  const absl::Status status = Follow();
  if (status.ok()) return;
  log_.Warning("cannot follow the definitions of kinds, what is known stays", status);
  executor_.PostAfter(kRetry, [this] { FollowAgain(); });
}

void DefinitionFollower::Serve(absl::string_view name, absl::string_view json,
                               StoreRevision revision) {
  const absl::StatusOr<Json> definition = ParseJson(json);
  absl::StatusOr<std::vector<ResourcePtr>> resources =
      definition.ok() ? MakeCustomResources(*definition) : definition.status();
  if (!resources.ok()) {
    // Stored by a version with other rules: the others must still be served.
    log_.Error("custom resource definition is not usable", resources.status(),
               {{"key", std::string(name)}});
    return;
  }
  registry_.SetCustom(name, revision, *std::move(resources));
}

}  // namespace skerry::kubeapi
