#include "services/lib/metrics/registry.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace skerry::metrics {
namespace {

TEST(RegistryTest, RendersBuildInfoAndProcessMetrics) {
  Registry registry("edgehub-svc");
  const std::string text = registry.Render();
  EXPECT_TRUE(absl::StrContains(
      text, "skerry_build_info{commit=\"unknown\",service=\"edgehub-svc\",version=\""))
      << text;
  for (const char* name :
       {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
        "process_max_fds ", "process_start_time_seconds ", "process_threads "}) {
    EXPECT_TRUE(absl::StrContains(text, std::string("\n") + name)) << name << "\n" << text;
  }
}

TEST(RegistryTest, SeriesOfOneNameShareAFamily) {
  Registry registry("x-svc");
  auto& hit = registry.Counter("skerry_x_requests_total", "Requests", {{"result", "hit"}});
  registry.Counter("skerry_x_requests_total", "Requests", {{"result", "miss"}});
  EXPECT_EQ(&hit, &registry.Counter("skerry_x_requests_total", "Requests", {{"result", "hit"}}));
  hit.Increment();
  const std::string text = registry.Render();
  EXPECT_TRUE(absl::StrContains(text, "skerry_x_requests_total{result=\"hit\"} 1")) << text;
  EXPECT_TRUE(absl::StrContains(text, "skerry_x_requests_total{result=\"miss\"} 0")) << text;
}

TEST(RegistryTest, HistogramHasItsBounds) {
  Registry registry("x-svc");
  registry.Histogram("skerry_x_seconds", "Time", LatencyBounds()).Observe(0.002);
  EXPECT_TRUE(absl::StrContains(registry.Render(), "skerry_x_seconds_bucket{le=\"0.0025\"} 1"));
}

TEST(RegistryDeathTest, BadNamesAbort) {
  Registry registry("x-svc");
  EXPECT_DEATH(registry.Gauge("x_depth", ""), "broken invariant");
  EXPECT_DEATH(registry.Gauge("skerry_x-depth", ""), "broken invariant");
  EXPECT_DEATH(registry.Counter("skerry_x_requests", ""), "broken invariant");
}

}  // namespace
}  // namespace skerry::metrics
