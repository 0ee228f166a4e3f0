#include "services/lib/process/small_heap.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/barrier.h"
#include "absl/time/clock.h"

namespace skerry::process {
namespace {

constexpr size_t kMany = 64 << 10;
constexpr size_t kSmall = 1000;  // With kMany: 64 MB.

size_t ResidentBytes() {
  size_t size = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

class SmallHeapTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer has a heap of its own";
#endif
  }
};

// The last piece of memory is in use: nothing is free at the end of the heap.
TEST_F(SmallHeapTest, WhatIsFreeGoesBackToTheSystem) {
  SmallHeap heap(absl::Milliseconds(50));
  std::vector<std::unique_ptr<std::string>> held;
  for (size_t i = 0; i < kMany; ++i) held.push_back(std::make_unique<std::string>(kSmall, 'x'));
  const auto last = std::make_unique<std::string>(kSmall, 'x');
  const size_t full = ResidentBytes();
  ASSERT_GT(full, kMany * kSmall);
  held.clear();
  const absl::Time patience = absl::Now() + absl::Seconds(20);
  while (ResidentBytes() > full / 2 && absl::Now() < patience) std::this_thread::yield();
  EXPECT_LT(ResidentBytes(), full / 2);
}

std::string MallocInfo() {
  char* text = nullptr;
  size_t size = 0;
  FILE* const stream = open_memstream(&text, &size);
  EXPECT_EQ(malloc_info(0, stream), 0);
  fclose(stream);
  const std::string info(text, size);
  free(text);
  return info;
}

TEST_F(SmallHeapTest, ThreadsShareOneArena) {
  constexpr int kThreads = 8;
  SmallHeap heap;
  absl::Barrier* const all = new absl::Barrier(kThreads);  // The last one deletes it.
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([all] {
      const auto held = std::make_unique<std::string>(kSmall, 'x');
      if (all->Block()) delete all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(absl::StrContains(MallocInfo(), "<heap nr=\"1\">")) << MallocInfo();
}

}  // namespace
}  // namespace skerry::process
