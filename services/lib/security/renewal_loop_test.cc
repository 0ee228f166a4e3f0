#include "services/lib/security/renewal_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/testing/fake_clock.h"

namespace skerry::security {
namespace {

using ::testing::HasSubstr;

class RenewalLoopTest : public ::testing::Test {
 protected:
  RenewalReport Report(absl::Duration until_next) {
    return {.next_time = clock_.Now() + until_next,
            .expire_times = {{"server", absl::FromUnixSeconds(1'800'000'000)}}};
  }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    loop_.Settle();
  }

  testing::FakeClock clock_;
  metrics::Registry registry_{"test-svc"};
  absl::StatusOr<RenewalReport> answer_ = Report(absl::Minutes(20));
  int passes_ = 0;
  RenewalLoop loop_{Report(absl::Minutes(30)),
                    [this] {
                      ++passes_;
                      return answer_;
                    },
                    clock_, registry_, log::Logger::Null()};
};

TEST_F(RenewalLoopTest, PassesWhenTheFirstIsDue) {
  Advance(absl::Minutes(29));
  EXPECT_EQ(passes_, 0);
  answer_ = Report(absl::Minutes(21));
  answer_->renewed = 2;
  Advance(absl::Minutes(1));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Minutes(19));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Minutes(1));
  EXPECT_EQ(passes_, 2);
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_certificate_renewals_total{result=\"renewed\"} 4"));
}

TEST_F(RenewalLoopTest, LooksEveryHourBecauseClocksAreSet) {
  answer_ = Report(absl::Hours(24 * 200));
  Advance(absl::Minutes(30));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Minutes(59));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Minutes(1));
  EXPECT_EQ(passes_, 2);
}

TEST_F(RenewalLoopTest, TriesAgainSoonAfterAFailureAndDoesNotSpin) {
  answer_ = absl::ResourceExhaustedError("disk full");
  Advance(absl::Minutes(30));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Seconds(9));
  EXPECT_EQ(passes_, 1);
  Advance(absl::Seconds(1));
  EXPECT_EQ(passes_, 2);
  EXPECT_THAT(registry_.Render(),
              HasSubstr("skerry_certificate_renewals_total{result=\"failed\"} 2"));
  answer_ = Report(-absl::Hours(1));  // Overdue, though the pass found nothing to do.
  Advance(absl::Seconds(10));
  EXPECT_EQ(passes_, 3);
  Advance(absl::Milliseconds(999));
  EXPECT_EQ(passes_, 3);
}

TEST_F(RenewalLoopTest, TellsWhenCertificatesEnd) {
  EXPECT_THAT(
      registry_.Render(),
      HasSubstr("skerry_certificate_expire_timestamp_seconds{certificate=\"server\"} 1800000000"));
}

}  // namespace
}  // namespace skerry::security
