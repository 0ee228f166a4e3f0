#include "services/mappers/lib/core/registration.h"

#include <gtest/gtest.h>

namespace skerry::mapper {
namespace {

using Action = Registration::Action;

class RegistrationTest : public ::testing::Test {
 protected:
  // To the state where twin-svc has registered the mapper.
  void Register() {
    if (registration_.wake() != absl::InfiniteDuration()) {
      now_ = std::max(now_, registration_.wake());
    }
    ASSERT_EQ(registration_.Step(now_).action, Action::kWatch);
    ASSERT_EQ(registration_.OnHealth(attempt(), true, now_).action, Action::kRegister);
    registration_.OnRegistered(attempt(), absl::OkStatus(), now_);
    ASSERT_TRUE(registration_.up());
  }
  uint64_t attempt() const { return registration_.attempt(); }

  absl::Duration now_ = absl::Seconds(1000);
  Registration registration_{now_, 1};
};

TEST_F(RegistrationTest, WatchesThenRegisters) {
  Register();
  EXPECT_EQ(registration_.wake(), absl::InfiniteDuration());
}

TEST_F(RegistrationTest, RegistersAgainAfterARestart) {
  Register();
  const auto lost = registration_.OnWatchEnded(attempt(), absl::UnavailableError(""), now_);
  EXPECT_TRUE(lost.end_watch);
  EXPECT_FALSE(registration_.up());
  Register();
}

TEST_F(RegistrationTest, RegistersAgainAfterAFailedCall) {
  Register();
  EXPECT_TRUE(registration_.OnCallFailed(now_).end_watch);
  EXPECT_FALSE(registration_.up());
  EXPECT_FALSE(registration_.OnCallFailed(now_).end_watch);  // Further ones of that time.
  Register();
}

TEST_F(RegistrationTest, WaitsUntilItServes) {
  registration_.Step(now_);
  EXPECT_EQ(registration_.OnHealth(attempt(), false, now_).action, Action::kNone);
  EXPECT_EQ(registration_.wake(), absl::InfiniteDuration());
  EXPECT_EQ(registration_.OnHealth(attempt(), true, now_).action, Action::kRegister);
}

TEST_F(RegistrationTest, DoesWithoutHealth) {
  registration_.Step(now_);
  const auto ended = registration_.OnWatchEnded(attempt(), absl::UnimplementedError(""), now_);
  EXPECT_EQ(ended.action, Action::kRegister);
  registration_.OnRegistered(attempt(), absl::OkStatus(), now_);
  EXPECT_TRUE(registration_.up());
}

TEST_F(RegistrationTest, GivesUpAWatchThatSaysNothing) {
  registration_.Step(now_);
  now_ = registration_.wake();
  EXPECT_TRUE(registration_.Step(now_).end_watch);
  Register();
}

TEST_F(RegistrationTest, IgnoresFormerAttempts) {
  Register();
  const uint64_t former = attempt();
  registration_.OnCallFailed(now_);
  now_ = registration_.wake();
  registration_.Step(now_);
  EXPECT_EQ(registration_.OnHealth(former, true, now_).action, Action::kNone);
  EXPECT_FALSE(registration_.OnWatchEnded(former, absl::CancelledError(""), now_).end_watch);
  registration_.OnRegistered(former, absl::OkStatus(), now_);
  EXPECT_FALSE(registration_.up());
}

TEST_F(RegistrationTest, PausesBetweenAttemptsWithinItsBounds) {
  for (int failures = 0; failures < 50; ++failures) {
    now_ = registration_.wake();
    ASSERT_EQ(registration_.Step(now_).action, Action::kWatch);
    registration_.OnHealth(attempt(), true, now_);
    ASSERT_TRUE(registration_.OnRegistered(attempt(), absl::InternalError(""), now_).end_watch);
    ASSERT_GE(registration_.wake() - now_, absl::Milliseconds(100));
    ASSERT_LE(registration_.wake() - now_, absl::Seconds(16));
  }
}

}  // namespace
}  // namespace skerry::mapper
