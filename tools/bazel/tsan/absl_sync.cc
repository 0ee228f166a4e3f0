// Tells ThreadSanitizer what Abseil's locks order. Debian's Abseil is built without it, so that
// every value behind an absl::Mutex would look like a race. Linked into everything under
// --config=tsan only; the linker sends our calls here (--wrap, see BUILD.bazel) and we pass them
// on.
//
// A lock acquires what the last unlock released. Conditions are evaluated inside the library, by
// whichever thread unlocks; their reads are ordered by the mutex but happen after our release, so
// they are ignored.
#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/blocking_counter.h"  // NOLINT(missing-dep): absl depends on this
#include "absl/synchronization/mutex.h"             // NOLINT(missing-dep): absl depends on this
#include "absl/synchronization/notification.h"      // NOLINT(missing-dep): absl depends on this
#include "absl/time/time.h"                         // NOLINT(missing-dep): absl depends on this

extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}

namespace {

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

class IgnoreReads {
 public:
  IgnoreReads() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~IgnoreReads() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
};

// Runs `call`, which ends with the mutex held (`before`: and begins so).
template <typename Call>
auto Acquiring(void* lock, bool before, Call call) {
  if (before) __tsan_release(lock);
  struct After {
    void* lock;
    ~After() { __tsan_acquire(lock); }
  } after{lock};
  IgnoreReads ignore;
  return call();
}

template <typename Call>
auto Releasing(void* lock, Call call) {
  __tsan_release(lock);
  IgnoreReads ignore;
  return call();
}

}  // namespace

// Defines what the linker calls in place of `symbol`; __real_<symbol> is the library's own.
#define SKERRY_WRAP(result, symbol, parameters, body) \
  extern "C" result __real_##symbol parameters;       \
  extern "C" result __wrap_##symbol parameters body

SKERRY_WRAP(void, _ZN4absl7debian35Mutex4LockEv, (Mutex * m),
            { Acquiring(m, false, [&] { __real__ZN4absl7debian35Mutex4LockEv(m); }); })
SKERRY_WRAP(void, _ZN4absl7debian35Mutex10ReaderLockEv, (Mutex * m),
            { Acquiring(m, false, [&] { __real__ZN4absl7debian35Mutex10ReaderLockEv(m); }); })
SKERRY_WRAP(bool, _ZN4absl7debian35Mutex7TryLockEv, (Mutex * m), {
  const bool locked = __real__ZN4absl7debian35Mutex7TryLockEv(m);
  if (locked) __tsan_acquire(m);
  return locked;
})
SKERRY_WRAP(void, _ZN4absl7debian35Mutex6UnlockEv, (Mutex * m),
            { Releasing(m, [&] { __real__ZN4absl7debian35Mutex6UnlockEv(m); }); })
SKERRY_WRAP(void, _ZN4absl7debian35Mutex12ReaderUnlockEv, (Mutex * m),
            { Releasing(m, [&] { __real__ZN4absl7debian35Mutex12ReaderUnlockEv(m); }); })
SKERRY_WRAP(void, _ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE, (Mutex * m, const Condition& c), {
  Acquiring(m, true, [&] { __real__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(m, c); });
})
SKERRY_WRAP(
    bool, _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE,
    (Mutex * m, const Condition& c, Duration d), {
      return Acquiring(m, true, [&] {
        return __real__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(m, c,
                                                                                               d);
      });
    })
SKERRY_WRAP(bool, _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE,
            (Mutex * m, const Condition& c, Time t), {
              return Acquiring(m, true, [&] {
                return __real__ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE(
                    m, c, t);
              });
            })
SKERRY_WRAP(void, _ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE,
            (Mutex * m, const Condition& c), {
              Acquiring(m, false,
                        [&] { __real__ZN4absl7debian35Mutex8LockWhenERKNS0_9ConditionE(m, c); });
            })
SKERRY_WRAP(
    bool, _ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE,
    (Mutex * m, const Condition& c, Duration d), {
      return Acquiring(m, false, [&] {
        return __real__ZN4absl7debian35Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE(
            m, c, d);
      });
    })
SKERRY_WRAP(
    bool, _ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE,
    (Mutex * m, const Condition& c, Time t), {
      return Acquiring(m, false, [&] {
        return __real__ZN4absl7debian35Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE(m, c,
                                                                                               t);
      });
    })
SKERRY_WRAP(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, (CondVar * v, Mutex* m), {
  Acquiring(m, true, [&] { __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(v, m); });
})
SKERRY_WRAP(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
            (CondVar * v, Mutex* m, Duration d), {
              return Acquiring(m, true, [&] {
                return __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(
                    v, m, d);
              });
            })
SKERRY_WRAP(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
            (CondVar * v, Mutex* m, Time t), {
              return Acquiring(m, true, [&] {
                return __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(
                    v, m, t);
              });
            })

// Readers that only look at HasBeenNotified() load its flag, which follows the mutex inside the
// object.
SKERRY_WRAP(void, _ZN4absl7debian312Notification6NotifyEv, (Notification * n), {
  __tsan_release(n);
  __tsan_release(reinterpret_cast<char*>(n) + sizeof(Mutex));
  __real__ZN4absl7debian312Notification6NotifyEv(n);
})
SKERRY_WRAP(void, _ZNK4absl7debian312Notification19WaitForNotificationEv, (Notification * n), {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(n);
  __tsan_acquire(n);
})
SKERRY_WRAP(
    bool, _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
    (Notification * n, Duration d), {
      const bool notified =
          __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(n,
                                                                                                d);
      if (notified) __tsan_acquire(n);
      return notified;
    })
SKERRY_WRAP(
    bool, _ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE,
    (Notification * n, Time t), {
      const bool notified =
          __real__ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE(n, t);
      if (notified) __tsan_acquire(n);
      return notified;
    })
SKERRY_WRAP(bool, _ZN4absl7debian315BlockingCounter14DecrementCountEv, (absl::BlockingCounter * b),
            {
              __tsan_release(b);
              const bool last = __real__ZN4absl7debian315BlockingCounter14DecrementCountEv(b);
              if (last) __tsan_acquire(b);
              return last;
            })
SKERRY_WRAP(void, _ZN4absl7debian315BlockingCounter4WaitEv, (absl::BlockingCounter * b), {
  __real__ZN4absl7debian315BlockingCounter4WaitEv(b);
  __tsan_acquire(b);
})
