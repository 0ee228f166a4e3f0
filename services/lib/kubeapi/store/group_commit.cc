#include "services/lib/kubeapi/store/group_commit.h"

#include <utility>

#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::kubeapi {

GroupCommit::GroupCommit(const Options& options,
                         std::function<void(absl::Span<PendingWrite* const>)> commit,
                         std::function<void()> idle)
    : options_(options),
      commit_(std::move(commit)),
      idle_(std::move(idle)),
      thread_([this] { Loop(); }) {}

GroupCommit::~GroupCommit() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

absl::StatusOr<StoreRevision> GroupCommit::Submit(WriteOp op) {
  Waiting waiting{.write = {.op = std::move(op)}};
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("the object store ends");
  if (waiting_.size() >= options_.waiting_max) {
    return Error(absl::StatusCode::kResourceExhausted, "too many writes wait for the object store")
        .Reason("WRITES_WAITING");
  }
  waiting_.push_back(&waiting);
  while (!waiting.write.result.has_value()) waiting.done.Wait(&mutex_);
  return *std::move(waiting.write.result);
}

size_t GroupCommit::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_.size();
}

std::vector<GroupCommit::Waiting*> GroupCommit::TakeGroup() {
  std::vector<Waiting*> group;
  size_t bytes = 0;
  while (!waiting_.empty() && group.size() < options_.group_max) {
    bytes += waiting_.front()->write.op.json.size();
    if (!group.empty() && bytes > options_.group_bytes_max) break;
    group.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return group;
}

void GroupCommit::Loop() {
  exec::SetThreadName("object-writer");
  for (;;) {
    std::vector<Waiting*> group;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(this, &GroupCommit::HasWork), options_.idle_interval);
      group = TakeGroup();
      if (group.empty() && stopping_) return;
    }
    if (!group.empty()) CommitGroup(group);
    idle_();
  }
}

// The submitters look at their own copy under the lock, so the commit works on another.
void GroupCommit::CommitGroup(const std::vector<Waiting*>& group) {
  std::vector<PendingWrite> work;
  work.reserve(group.size());
  std::vector<PendingWrite*> pointers;
  for (Waiting* waiting : group) {
    work.push_back({.op = std::move(waiting->write.op)});
    pointers.push_back(&work.back());
  }
  commit_(pointers);
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < group.size(); ++i) {
    SKERRY_CHECK(work[i].result.has_value());
    group[i]->write.result = std::move(work[i].result);
    group[i]->done.Signal();
  }
}

}  // namespace skerry::kubeapi
