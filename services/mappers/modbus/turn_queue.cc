#include "services/mappers/modbus/turn_queue.h"

#include <algorithm>

namespace skerry::mapper::modbus {

bool TurnQueue::Enter(absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const uint64_t mine = next_++;
  queue_.push_back(mine);
  const auto first = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return queue_.front() == mine; };
  clock_.AwaitUntil(mutex_, absl::Condition(&first), clock_.Monotonic() + patience);
  if (queue_.front() == mine) return true;
  queue_.erase(std::find(queue_.begin(), queue_.end(), mine));
  return false;
}

void TurnQueue::Leave() {
  absl::MutexLock lock(&mutex_);
  queue_.pop_front();
}

int TurnQueue::waiting() const {
  absl::MutexLock lock(&mutex_);
  return std::max(static_cast<int>(queue_.size()) - 1, 0);
}

}  // namespace skerry::mapper::modbus
