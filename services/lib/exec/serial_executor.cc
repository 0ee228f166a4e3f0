#include "services/lib/exec/serial_executor.h"

#include <algorithm>
#include <utility>

#include "absl/synchronization/notification.h"
#include "services/lib/base/check.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::exec {

SerialExecutor::SerialExecutor(absl::string_view name, Clock& clock) : clock_(clock) {
  thread_ = std::thread([this, thread_name = std::string(name)] {
    SetThreadName(thread_name);
    Loop();
  });
}

SerialExecutor::~SerialExecutor() { Stop(); }

bool SerialExecutor::Post(absl::AnyInvocable<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  QueueDueTimers();  // What was due before this work was posted runs before it.
  queue_.push_back({0, std::move(work)});
  return true;
}

bool SerialExecutor::PostOrRun(absl::AnyInvocable<void()> work) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return false;
    QueueDueTimers();
    if (running_ || !queue_.empty()) {
      queue_.push_back({0, std::move(work)});
      return true;
    }
    running_ = true;
  }
  runner_.store(std::this_thread::get_id());
  work();
  work = nullptr;  // What it holds is destroyed as part of it.
  runner_.store({});
  absl::MutexLock lock(&mutex_);
  running_ = false;  // The thread wakes where something has come meanwhile.
  return true;
}

SerialExecutor::TimerId SerialExecutor::PostAfter(absl::Duration delay,
                                                  absl::AnyInvocable<void()> work) {
  absl::MutexLock lock(&mutex_);
  TimerId id = next_timer_++;
  if (stopping_) return id;
  absl::Duration due = clock_.Monotonic() + std::max(delay, absl::ZeroDuration());
  timers_.emplace(std::make_pair(due, id), std::move(work));
  timer_due_.emplace(id, due);
  return id;
}

void SerialExecutor::Cancel(TimerId id) {
  absl::AnyInvocable<void()> dropped;  // Destroyed after the lock is released.
  absl::MutexLock lock(&mutex_);
  auto it = timer_due_.find(id);
  if (it == timer_due_.end()) return;
  auto timer = timers_.find({it->second, id});
  if (timer != timers_.end()) {
    dropped = std::move(timer->second);
    timers_.erase(timer);
  }
  timer_due_.erase(
      it);  // Where the timer is queued already, Loop sees it missing here and skips it.
}

void SerialExecutor::Stop() {
  SKERRY_CHECK(std::this_thread::get_id() != runner_.load());
  std::map<std::pair<absl::Duration, TimerId>, absl::AnyInvocable<void()>> dropped;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    dropped.swap(timers_);
  }
  absl::MutexLock lock(&join_mutex_);  // A second caller waits for the first one's join.
  if (thread_.joinable()) thread_.join();
}

bool SerialExecutor::Run(absl::AnyInvocable<void()> work) {
  SKERRY_CHECK(std::this_thread::get_id() != runner_.load());
  absl::Notification done;
  bool posted = Post([&work, &done] {
    work();
    done.Notify();
  });
  if (posted) done.WaitForNotification();
  return posted;
}

void SerialExecutor::QueueDueTimers() {
  if (timers_.empty()) return;
  const absl::Duration now = clock_.Monotonic();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto first = timers_.begin();
    queue_.push_back({first->first.second, std::move(first->second)});
    timers_.erase(first);
  }
}

bool SerialExecutor::Wakes(Waiting* waiting) {
  const SerialExecutor& self = *waiting->self;
  if (self.running_) return false;
  if (self.stopping_ || !self.queue_.empty()) return true;
  // A timer that was added at the front makes the wait too long.
  return !self.timers_.empty() && self.timers_.begin()->first.first < waiting->until;
}

void SerialExecutor::Loop() {
  for (bool ran = false;;) {
    absl::AnyInvocable<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(ran, false)) running_ = false;
      QueueDueTimers();
      while (running_ || (queue_.empty() && !stopping_)) {
        Waiting waiting{this,
                        timers_.empty() ? absl::InfiniteDuration() : timers_.begin()->first.first};
        clock_.AwaitUntil(mutex_, absl::Condition(&Wakes, &waiting), waiting.until);
        QueueDueTimers();
      }
      if (queue_.empty()) return;
      Queued next = std::move(queue_.front());
      queue_.pop_front();
      work = std::move(next.work);
      if (next.timer != 0 && timer_due_.erase(next.timer) == 0) continue;  // Cancelled.
      running_ = true;
    }
    runner_.store(std::this_thread::get_id());
    work();
    work = nullptr;
    runner_.store({});
    ran = true;
  }
}

}  // namespace skerry::exec
