// Tells ThreadSanitizer what Abseil's locks order. Debian's Abseil is built without it, so that
// every value behind an absl::Mutex would look like a race. Linked into everything under
// --config=tsan only: these definitions take the place of the library's, for our own code and for
// gRPC's (Debian's gRPC uses absl::Mutex too), and pass the calls on.
//
// A lock acquires what the last unlock released. Conditions are evaluated inside the library, by
// whichever thread unlocks; their reads are ordered by the mutex but happen after our release, so
// they are ignored.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/blocking_counter.h"  // NOLINT(missing-dep): absl depends on this
#include "absl/synchronization/mutex.h"             // NOLINT(missing-dep): absl depends on this
#include "absl/synchronization/notification.h"      // NOLINT(missing-dep): absl depends on this
#include "absl/time/time.h"                         // NOLINT(missing-dep): absl depends on this
#include "tools/bazel/tsan/interpose.h"

namespace {

using absl::BlockingCounter;
using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;
using skerry::tsan::IgnoreReads;

// Runs `call`, which ends with the lock held.
template <typename Call>
auto Acquiring(void* lock, Call call) {
  struct After {
    void* lock;
    ~After() { __tsan_acquire(lock); }
  } after{lock};
  IgnoreReads ignore;
  return call();
}

// Runs `call`, which gives the lock up.
template <typename Call>
auto Releasing(void* lock, Call call) {
  __tsan_release(lock);
  IgnoreReads ignore;
  return call();
}

// Both: `call` gives it up and gets it back.
template <typename Call>
auto Waiting(void* lock, Call call) {
  __tsan_release(lock);
  return Acquiring(lock, call);
}

}  // namespace

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex4LockEv, (Mutex * m),
                 { Acquiring(m, [&] { real(m); }); })

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex10ReaderLockEv, (Mutex * m),
                 { Acquiring(m, [&] { real(m); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian35Mutex7TryLockEv, (Mutex * m), {
  const bool locked = real(m);
  if (locked) __tsan_acquire(m);
  return locked;
})

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex6UnlockEv, (Mutex * m),
                 { Releasing(m, [&] { real(m); }); })

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, (Mutex * m),
                 { Releasing(m, [&] { real(m); }); })

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE,
                 (Mutex * m, const Condition& c), { Waiting(m, [&] { real(m, c); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
                 (Mutex * m, const Condition& c, Duration d),
                 { return Waiting(m, [&] { return real(m, c, d); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE,
                 (Mutex * m, const Condition& c, Time t),
                 { return Waiting(m, [&] { return real(m, c, t); }); })

SKERRY_INTERPOSE(void, _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE,
                 (Mutex * m, const Condition& c), { Acquiring(m, [&] { real(m, c); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE,
                 (Mutex * m, const Condition& c, Duration d),
                 { return Acquiring(m, [&] { return real(m, c, d); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE,
                 (Mutex * m, const Condition& c, Time t),
                 { return Acquiring(m, [&] { return real(m, c, t); }); })

SKERRY_INTERPOSE(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, (CondVar * v, Mutex* m),
                 { Waiting(m, [&] { real(v, m); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
                 (CondVar * v, Mutex* m, Duration d),
                 { return Waiting(m, [&] { return real(v, m, d); }); })

SKERRY_INTERPOSE(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
                 (CondVar * v, Mutex* m, Time t),
                 { return Waiting(m, [&] { return real(v, m, t); }); })

// Readers that only look at HasBeenNotified() load its flag, which follows the mutex inside the
// object.

SKERRY_INTERPOSE(void, _ZN4absl7debian312Notification6NotifyEv, (Notification * n), {
  __tsan_release(n);
  __tsan_release(reinterpret_cast<char*>(n) + sizeof(Mutex));
  real(n);
})

SKERRY_INTERPOSE(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
                 (const Notification* n), {
                   real(n);
                   __tsan_acquire(const_cast<Notification*>(n));
                 })

SKERRY_INTERPOSE(bool,
                 _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
                 (const Notification* n, Duration d), {
                   const bool done = real(n, d);
                   if (done) __tsan_acquire(const_cast<Notification*>(n));
                   return done;
                 })

SKERRY_INTERPOSE(bool, _ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE,
                 (const Notification* n, Time t), {
                   const bool done = real(n, t);
                   if (done) __tsan_acquire(const_cast<Notification*>(n));
                   return done;
                 })

SKERRY_INTERPOSE(bool, _ZN4absl7debian315BlockingCounter14DecrementCountEv, (BlockingCounter * b), {
  __tsan_release(b);
  const bool last = real(b);
  if (last) __tsan_acquire(b);
  return last;
})

SKERRY_INTERPOSE(void, _ZN4absl7debian315BlockingCounter4WaitEv, (BlockingCounter * b), {
  real(b);
  __tsan_acquire(b);
})
