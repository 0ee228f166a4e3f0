#include "services/lib/exec/thread_pool.h"

#include <utility>

#include "services/lib/exec/thread_name.h"

namespace skerry::exec {

ThreadPool::ThreadPool(absl::string_view name, size_t threads, size_t queue_max)
    : queue_max_(queue_max) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, thread_name = std::string(name)] {
      SetThreadName(thread_name);
      Loop();
    });
  }
}

ThreadPool::~ThreadPool() { Stop(); }

bool ThreadPool::TrySubmit(absl::AnyInvocable<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (stopping_ || queue_.size() >= queue_max_) {
    ++refused_;
    return false;
  }
  queue_.push_back(std::move(work));
  return true;
}

void ThreadPool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  absl::MutexLock lock(&join_mutex_);  // A second caller waits for the first one's join.
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

size_t ThreadPool::queued() const {
  absl::MutexLock lock(&mutex_);
  return queue_.size();
}

uint64_t ThreadPool::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

void ThreadPool::Loop() {
  for (;;) {
    absl::AnyInvocable<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](ThreadPool* pool)
               ABSL_NO_THREAD_SAFETY_ANALYSIS { return pool->stopping_ || !pool->queue_.empty(); },
          this));
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace skerry::exec
