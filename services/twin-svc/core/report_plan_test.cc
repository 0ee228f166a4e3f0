#include "services/twin-svc/core/report_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace skerry::twin {
namespace {

const DeviceName kA = *DeviceName::Parse("d/a");
const DeviceName kB = *DeviceName::Parse("d/b");
const DeviceName kC = *DeviceName::Parse("d/c");

class ReportPlanTest : public ::testing::Test {
 protected:
  std::string Next() {
    const auto next = plan_.Next(now_);
    return next.has_value() ? next->name() : "";
  }
  void Done(const DeviceName& device, bool again = false) {
    plan_.Done(device, again, absl::Seconds(5), now_);
  }

  absl::Duration now_ = absl::Seconds(1000);
  ReportPlan plan_{absl::Seconds(10), 2};
};

TEST_F(ReportPlanTest, WhatWasQuietGoesAtOnceAndOnce) {
  plan_.Changed(kA, now_);
  plan_.Changed(kA, now_);
  EXPECT_EQ(plan_.due(), 1u);
  EXPECT_EQ(plan_.NextWake(), now_);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "");
  Done(kA);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(plan_.NextWake(), absl::InfiniteDuration());
}

TEST_F(ReportPlanTest, WhatChangesOftenGoesOnceInTheInterval) {
  plan_.Changed(kA, now_);
  Next();
  plan_.Changed(kA, now_);  // While it is under way.
  EXPECT_EQ(plan_.due(), 1u);
  EXPECT_EQ(Next(), "");
  now_ += absl::Seconds(1);
  Done(kA);
  plan_.Changed(kA, now_);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(plan_.NextWake(), absl::Seconds(1010));
  now_ = absl::Seconds(1010);
  EXPECT_EQ(Next(), "a");
}

TEST_F(ReportPlanTest, FewAreUnderWay) {
  for (const DeviceName& device : {kA, kB, kC}) plan_.Changed(device, now_);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "b");
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(plan_.NextWake(), absl::InfiniteDuration());
  Done(kB);
  EXPECT_EQ(Next(), "c");
}

TEST_F(ReportPlanTest, WhatWasNotTakenGoesAgainAfterAPause) {
  plan_.Changed(kA, now_);
  Next();
  Done(kA, true);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(plan_.due(), 1u);
  now_ += absl::Seconds(5);
  EXPECT_EQ(Next(), "a");
}

TEST_F(ReportPlanTest, WhatIsGoneIsNotReported) {
  plan_.Changed(kA, now_);
  plan_.Changed(kB, now_);
  plan_.Gone(kA);
  EXPECT_EQ(Next(), "b");
  plan_.Changed(kB, now_);
  plan_.Gone(kB);
  Done(kB);
  EXPECT_EQ(plan_.due(), 0u);
  now_ += absl::Hours(1);
  EXPECT_EQ(Next(), "");
}

TEST_F(ReportPlanTest, ForgetsWhatIsQuiet) {
  for (int i = 0; i < 100; ++i) {
    const DeviceName device = *DeviceName::Make("d", absl::StrCat("x", i));
    plan_.Changed(device, now_);
    plan_.Next(now_);
    Done(device);
  }
  EXPECT_EQ(plan_.size(), 100u);
  now_ += absl::Seconds(10);
  EXPECT_EQ(Next(), "");
  EXPECT_EQ(plan_.size(), 0u);
  EXPECT_EQ(plan_.under_way(), 0u);
}

}  // namespace
}  // namespace skerry::twin
