// Tells ThreadSanitizer how gRPC hands work from one thread to another, where it does so without a
// mutex: lock-free queues and combiners. Debian's gRPC is built without it, so that whatever a
// handler or a callback touches would look like a race. See absl_sync.cc for how this is linked.
//
// The combiners' order is told more coarsely than it is (all of them are one), which can hide a
// race of ours, but never makes one up.
#include <sanitizer/tsan_interface.h>

#include "tools/bazel/tsan/interpose.h"

namespace {

char all_combiners;

}  // namespace

SKERRY_INTERPOSE(bool, _ZN9grpc_core32MultiProducerSingleConsumerQueue4PushEPNS0_4NodeE,
                 (void* queue, void* node), {
                   __tsan_release(queue);
                   return real(queue, node);
                 })

SKERRY_INTERPOSE(void*, _ZN9grpc_core32MultiProducerSingleConsumerQueue14PopAndCheckEndEPb,
                 (void* queue, bool* empty), {
                   void* node = real(queue, empty);
                   __tsan_acquire(queue);
                   return node;
                 })

SKERRY_INTERPOSE(void*, _ZN9grpc_core32MultiProducerSingleConsumerQueue3PopEv, (void* queue), {
  void* node = real(queue);
  __tsan_acquire(queue);
  return node;
})

SKERRY_INTERPOSE(
    void, _ZN9grpc_core12CallCombiner5StartEP12grpc_closureN4absl7debian36StatusEPKciS7_,
    (void* combiner, void* closure, void* status, const char* file, int line, const char* reason), {
      __tsan_release(combiner);
      __tsan_acquire(combiner);
      real(combiner, closure, status, file, line, reason);
    })

SKERRY_INTERPOSE(void, _ZN9grpc_core12CallCombiner4StopEPKciS2_,
                 (void* combiner, const char* file, int line, const char* reason), {
                   __tsan_release(combiner);
                   real(combiner, file, line, reason);
                 })

SKERRY_INTERPOSE(bool, _Z31grpc_combiner_continue_exec_ctxv, (), {
  __tsan_acquire(&all_combiners);
  const bool more = real();
  __tsan_release(&all_combiners);
  return more;
})

// The library's half of the count of a call's outstanding callbacks (std::atomic<int>, the second
// member after the table of virtual functions; the other half is inline and thus instrumented).
SKERRY_INTERPOSE(void, _ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb,
                 (void* call, bool inline_done), {
                   char* const outstanding = static_cast<char*>(call) + sizeof(void*) + sizeof(int);
                   __tsan_acquire(outstanding);
                   real(call, inline_done);
                 })
