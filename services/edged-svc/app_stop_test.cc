// EdgedApp ends soon, whatever the runtime does.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/edged-svc/app.h"
#include "services/edged-svc/config.h"
#include "services/edged-svc/testing/unix_peer.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(10);  // Lists have 30 s.

// With each kind of runtime.
class AppStopTest : public ::testing::TestWithParam<const char*> {
 protected:
  void Start() {
    EdgedConfig config;
    config.node_name = "edge-1";
    config.state_dir = temp_.File("state");
    config.run_dir = temp_.path();
    config.runtime_kind = GetParam();
    config.runtime_endpoint = "unix://" + runtime_;
    app_ = std::make_unique<EdgedApp>(config, clock_, log::Logger::Null());
    const absl::Status started = app_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  absl::Duration Stop() {
    const absl::Duration begin = clock_.Monotonic();
    app_->Drain(absl::Now() + kSoon);
    app_->Stop();
    return clock_.Monotonic() - begin;
  }

  skerry::testing::TempDir temp_;
  const std::string runtime_ = temp_.File("runtime.sock");
  SystemClock clock_;
  std::unique_ptr<EdgedApp> app_;
};

TEST_P(AppStopTest, ARuntimeThatIsAwayHoldsUpNoEnd) {
  Start();
  EXPECT_LT(Stop(), kSoon);
}

TEST_P(AppStopTest, ARuntimeThatHangsHoldsUpNoEnd) {
  absl::Notification called;
  std::once_flag first;
  UnixPeer peer(runtime_, [&](int fd) {
    std::call_once(first, [&] { called.Notify(); });
    UnixPeer::ReadUntilItEnds(fd);
  });
  Start();
  ASSERT_TRUE(called.WaitForNotificationWithTimeout(kSoon));
  EXPECT_LT(Stop(), kSoon);
}

INSTANTIATE_TEST_SUITE_P(Runtimes, AppStopTest, ::testing::Values("cri", "docker"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace skerry::edged
