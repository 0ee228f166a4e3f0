// Preloaded into one process: its wall clock steps while it runs, and everything else is as the kernel has it.
//
// The offset, in nanoseconds, is the first eight bytes of the file that CLOCK_STEP_FILE names; it may change at any time.
// Reads of the wall clock are shifted, and so are waits until an instant of the wall clock, as by clock_settime: one that
// is under way ends early when the clock goes forward and goes on for longer when it goes back. libfaketime shifts
// the reads alone; Abseil's waits, which are futexes, would then wait for days or not at all.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t kSecond = 1000000000;
static const int64_t kSlice = 20000000;  // A wait looks at the offset this often.

static const volatile int64_t* offset_page;
static long (*real_syscall)(long, ...);
static int (*real_cond_timedwait)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);

// An allocator may make system calls before any constructor has run.
static long (*RealSyscall(void))(long, ...) {
  if (real_syscall == NULL) real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real_syscall;
}

// Nor have they where it has threads of its own.
static int RealCondTimedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* until) {
  if (real_cond_timedwait == NULL) {
    real_cond_timedwait = (int (*)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*))dlvsym(
        RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  }
  return real_cond_timedwait(condition, mutex, until);
}

__attribute__((constructor)) static void Load(void) {
  const char* path = getenv("CLOCK_STEP_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) offset_page = page;
  close(file);
}

static int64_t Offset(void) { return offset_page == NULL ? 0 : *offset_page; }
static int64_t ToNanos(const struct timespec* t) { return t->tv_sec * kSecond + t->tv_nsec; }
static struct timespec FromNanos(int64_t nanos) {
  struct timespec t = {nanos / kSecond, nanos % kSecond};
  return t;
}

// Of the kernel's clock, not ours.
static int64_t RealNow(clockid_t clock) {
  static int (*real)(clockid_t, struct timespec*);
  if (real == NULL) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  struct timespec t;
  return real(clock, &t) == 0 ? ToNanos(&t) : -1;
}

int clock_gettime(clockid_t clock, struct timespec* t) {
  int64_t now = RealNow(clock);
  if (now < 0) return -1;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now += Offset();
  *t = FromNanos(now);
  return 0;
}

int gettimeofday(struct timeval* restrict t, void* restrict zone) {
  (void)zone;
  int64_t now = RealNow(CLOCK_REALTIME) + Offset();
  t->tv_sec = now / kSecond;
  t->tv_usec = now % kSecond / 1000;
  return 0;
}

time_t time(time_t* t) {
  time_t now = (RealNow(CLOCK_REALTIME) + Offset()) / kSecond;
  if (t != NULL) *t = now;
  return now;
}

// The end of the wait that is to be made now, in the kernel's time; *last tells whether it is that of the whole wait.
static struct timespec SliceEnd(const struct timespec* until, int* last) {
  int64_t end = ToNanos(until) - Offset(), slice = RealNow(CLOCK_REALTIME) + kSlice;
  *last = end <= slice;
  return FromNanos(*last ? (end < 0 ? 0 : end) : slice);
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  if (number != SYS_futex || !(a[1] & FUTEX_CLOCK_REALTIME) || a[3] == 0) {
    return RealSyscall()(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  int last;
  struct timespec end = SliceEnd((const struct timespec*)a[3], &last);
  long result = RealSyscall()(number, a[0], a[1], a[2], &end, a[4], a[5]);
  if (result == -1 && errno == ETIMEDOUT && !last) errno = EINTR;  // The caller waits on.
  return result;
}

int pthread_cond_timedwait(pthread_cond_t* restrict condition, pthread_mutex_t* restrict mutex,
                           const struct timespec* restrict until) {
  const unsigned kOfMonotonicClock = 2;  // glibc's flag in the condition variable.
  if (condition->__data.__wrefs & kOfMonotonicClock) return RealCondTimedwait(condition, mutex, until);
  int last;
  struct timespec end = SliceEnd(until, &last);
  int result = RealCondTimedwait(condition, mutex, &end);
  return result == ETIMEDOUT && !last ? 0 : result;  // 0: woken for nothing, which is allowed.
}
