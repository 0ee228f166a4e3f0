#include "services/edged-svc/core/resources.h"

#include <gtest/gtest.h>

#include "services/edged-svc/core/pod_parser.h"

namespace skerry::edged {
namespace {

constexpr NodeResources kNode{4000, int64_t{8} << 30, int64_t{1} << 40};

PodSpec Pod(const std::string& resources) {
  return *ParsePod(
      R"({"metadata":{"namespace":"ns","name":"p","uid":"u1"},"spec":{"containers":[{"name":"c","image":"i:1","resources":)" +
      resources + "}]}}");
}

TEST(ResourcesTest, QosClasses) {
  EXPECT_EQ(QosOf(Pod("{}")), QosClass::kBestEffort);
  EXPECT_EQ(QosOf(Pod(R"({"requests":{"cpu":"1"}})")), QosClass::kBurstable);
  EXPECT_EQ(QosOf(Pod(R"({"limits":{"memory":"1Gi"}})")), QosClass::kBurstable);
  EXPECT_EQ(QosOf(Pod(R"({"limits":{"cpu":"1","memory":"1Gi"}})")), QosClass::kGuaranteed);
  EXPECT_EQ(
      QosOf(
          Pod(R"({"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m","memory":"1Gi"}})")),
      QosClass::kBurstable);
  EXPECT_EQ(QosOf(Pod(R"({"limits":{"ephemeral-storage":"1Gi"}})")), QosClass::kBestEffort);
}

TEST(ResourcesTest, CgroupSettings) {
  const struct {
    const char* resources;
    int64_t shares, quota, memory, oom;
  } kCases[] = {
      {"{}", 2, 0, 0, 1000},
      {R"({"requests":{"cpu":"500m"}})", 512, 0, 0, 999},
      {R"({"limits":{"cpu":"500m","memory":"64Mi"}})", 512, 50000, 64 << 20, -997},
      {R"({"limits":{"cpu":"2"},"requests":{"cpu":"1","memory":"4Gi"}})", 1024, 200000, 0, 500},
      {R"({"limits":{"cpu":"1m"}})", 2, 1000, 0, 999},  // Quota has a minimum.
      {R"({"requests":{"cpu":"9000000","memory":"8Gi"}})", 262144, 0, 0,
       3},  // Both at their bounds.
  };
  for (const auto& c : kCases) {
    const PodSpec pod = Pod(c.resources);
    const ContainerLimits limits = LimitsOf(pod, pod.containers[0], kNode);
    EXPECT_EQ(limits.cpu_shares, c.shares) << c.resources;
    EXPECT_EQ(limits.cpu_quota, c.quota) << c.resources;
    EXPECT_EQ(limits.memory_bytes_max, c.memory) << c.resources;
    EXPECT_EQ(limits.oom_score_adj, c.oom) << c.resources;
  }
}

}  // namespace
}  // namespace skerry::edged
