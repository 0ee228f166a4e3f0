#include "services/lib/rpc/awaited_answers.h"

#include <utility>

namespace skerry::rpc {

void AwaitedAnswers::Expect(std::shared_ptr<StreamControl> stream) {
  const uint32_t wait = stream->ReadAfterWrite();
  absl::MutexLock lock(&mutex_);
  recent_.push_back({std::move(stream), wait});
  if (!std::exchange(rounds_, true)) executor_.PostAfter(kPatience, [this] { EndPatience(); });
}

void AwaitedAnswers::EndPatience() {
  std::vector<Awaited> overdue;
  {
    absl::MutexLock lock(&mutex_);
    overdue = std::exchange(overdue_, std::exchange(recent_, {}));
    rounds_ = !overdue_.empty();
    if (rounds_) executor_.PostAfter(kPatience, [this] { EndPatience(); });
  }
  for (const Awaited& answer : overdue) answer.stream->ReadOn(answer.wait);
}

}  // namespace skerry::rpc
