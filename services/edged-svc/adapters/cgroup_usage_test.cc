#include "services/edged-svc/adapters/cgroup_usage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

class CgroupUsageTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(dir_.File(file)).parent_path());
    dir_.Write(file, text);
  }
  std::optional<CgroupUsage> Read() { return ReadCgroupUsage(dir_.path(), "/kubepods/pod1", kNow); }

  testing::TempDir dir_;
};

TEST_F(CgroupUsageTest, Version2) {
  Write("kubepods/pod1/cpu.stat", "usage_usec 1500000\nuser_usec 1000000\n");
  Write("kubepods/pod1/memory.current", "5000000\n");
  Write("kubepods/pod1/memory.stat", "anon 100\ninactive_file 1000000\nactive_file 7\n");
  const auto usage = Read();
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->cpu_time, absl::Seconds(1.5));
  EXPECT_EQ(usage->memory_bytes, 4'000'000);
  EXPECT_EQ(usage->time, kNow);
}

TEST_F(CgroupUsageTest, Version1) {
  Write("cpu/kubepods/pod1/cpu.stat", "nr_periods 0\nnr_throttled 0\n");
  Write("cpuacct/kubepods/pod1/cpuacct.usage", "2500000000\n");
  Write("memory/kubepods/pod1/memory.usage_in_bytes", "3000000\n");
  Write("memory/kubepods/pod1/memory.stat", "inactive_file 5\ntotal_inactive_file 4000000\n");
  const auto usage = Read();
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->cpu_time, absl::Seconds(2.5));
  EXPECT_EQ(usage->memory_bytes, 0);  // The two files are not read at one time.
}

TEST_F(CgroupUsageTest, WhatIsNotThere) {
  EXPECT_FALSE(Read().has_value());
  Write("kubepods/pod1/cpu.stat", "usage_usec x\n");
  Write("kubepods/pod1/memory.current", "1\n");
  EXPECT_FALSE(Read().has_value());
}

}  // namespace
}  // namespace skerry::edged
