#include "tools/bench/hub_load/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "services/lib/base/check.h"

namespace skerry::bench {
namespace {

constexpr int kEventsMax = 512;

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SKERRY_CHECK(epoll_ >= 0 && wake_ >= 0);
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = static_cast<uint32_t>(wake_)}};
  SKERRY_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

EventLoop::~EventLoop() {
  close(wake_);
  close(epoll_);
}

absl::Duration EventLoop::Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

void EventLoop::Watch(int fd, uint32_t events, const std::shared_ptr<Handler>& handler) {
  if (watched_.size() <= static_cast<size_t>(fd)) watched_.resize(fd + 1);
  Watched& watched = watched_[fd];
  const int operation = watched.open ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  watched.handler = handler;
  watched.open = true;
  epoll_event event = {
      .events = events,
      .data = {.u64 = uint64_t{watched.generation} << 32 | static_cast<uint32_t>(fd)}};
  SKERRY_CHECK(epoll_ctl(epoll_, operation, fd, &event) == 0);
}

void EventLoop::Forget(int fd) {
  if (watched_.size() <= static_cast<size_t>(fd) || !watched_[fd].open) return;
  Watched& watched = watched_[fd];
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  watched.handler.reset();
  watched.open = false;
  ++watched.generation;
}

EventLoop::TimerId EventLoop::After(absl::Duration delay, absl::AnyInvocable<void()> work) {
  const absl::Duration due = Now() + delay;
  timers_.emplace(std::make_pair(due, ++last_timer_), std::move(work));
  timer_due_.emplace(last_timer_, due);
  return last_timer_;
}

void EventLoop::Cancel(TimerId timer) {
  auto it = timer_due_.find(timer);
  if (it == timer_due_.end()) return;
  timers_.erase({it->second, timer});
  timer_due_.erase(it);
}

void EventLoop::Post(absl::AnyInvocable<void()> work) {
  absl::MutexLock lock(&mutex_);
  posted_.push_back(std::move(work));
  if (posted_.size() > 1) return;
  const uint64_t one = 1;
  SKERRY_CHECK(write(wake_, &one, sizeof(one)) > 0);
}

bool EventLoop::RunUntil(absl::FunctionRef<bool()> done, absl::Duration limit) {
  const absl::Duration deadline = Now() + limit;
  while (!done()) {
    const absl::Duration now = Now();
    if (now >= deadline) return false;
    Wait(deadline - now);
    RunDue();
  }
  return true;
}

void EventLoop::Wait(absl::Duration wait_max) {
  if (!timers_.empty()) wait_max = std::min(wait_max, timers_.begin()->first.first - Now());
  wait_max = std::clamp(wait_max, absl::ZeroDuration(), absl::Minutes(1));
  // Rounded up: a timer is not due before its time.
  const int millis =
      static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(wait_max, absl::Milliseconds(1))));
  epoll_event events[kEventsMax];
  const int count = epoll_wait(epoll_, events, kEventsMax, millis);
  for (int i = 0; i < count; ++i) {
    const uint32_t fd = static_cast<uint32_t>(events[i].data.u64);
    if (fd == static_cast<uint32_t>(wake_)) continue;
    const Watched& watched = watched_[fd];
    if (!watched.open || watched.generation != events[i].data.u64 >> 32) continue;
    if (std::shared_ptr<Handler> handler = watched.handler.lock()) {
      handler->OnReady(events[i].events);
    }
  }
}

void EventLoop::RunDue() {
  std::vector<absl::AnyInvocable<void()>> posted;
  {
    absl::MutexLock lock(&mutex_);
    posted.swap(posted_);
    uint64_t count = 0;
    if (!posted.empty()) SKERRY_CHECK(read(wake_, &count, sizeof(count)) > 0);
  }
  for (auto& work : posted) work();
  const absl::Duration now = Now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto first = timers_.begin();
    absl::AnyInvocable<void()> work = std::move(first->second);
    timer_due_.erase(first->first.second);
    timers_.erase(first);
    work();
  }
}

}  // namespace skerry::bench
