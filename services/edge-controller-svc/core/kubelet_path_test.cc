#include "services/edge-controller-svc/core/kubelet_path.h"

#include <gtest/gtest.h>

namespace skerry::edgecontroller {
namespace {

TEST(PodOfKubeletPathTest, FindsThePod) {
  for (const char* path :
       {"/containerLogs/ns/web/app", "/exec/ns/web/app", "/exec/ns/web/uid/app",
        "/attach/ns/web/app", "/portForward/ns/web", "/portForward/ns/web/uid"}) {
    EXPECT_EQ(PodOfKubeletPath(path), "ns/web") << path;
  }
}

TEST(PodOfKubeletPathTest, LeavesOtherPathsAlone) {
  for (const char* path : {"", "/", "/healthz", "/pods", "/containerLogs/ns/web", "/exec/ns/web",
                           "/exec//web/app", "/portForward/ns/web/uid/more", "exec/ns/web/app",
                           "/containerLogs/ns/web/app/", "/run/ns/web/app"}) {
    EXPECT_FALSE(PodOfKubeletPath(path).has_value()) << path;
  }
}

}  // namespace
}  // namespace skerry::edgecontroller
