#include "services/twin-svc/core/mapper_presence.h"

#include <gtest/gtest.h>

namespace skerry::twin {
namespace {

using State = MapperPresence::State;

class MapperPresenceTest : public ::testing::Test {
 protected:
  // Asks once a second for so many seconds.
  void Answers(int seconds) {
    for (int i = 0; i < seconds; ++i) presence_.Answered(now_ += absl::Seconds(1));
  }
  void IsSilent(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      presence_.Silent(now_, now_ + absl::Seconds(1));
      now_ += absl::Seconds(1);
    }
  }

  absl::Duration now_ = absl::Hours(5);
  MapperPresence presence_{absl::Seconds(10)};
};

TEST_F(MapperPresenceTest, IsAwayWhenItHasBeenSilentForTheTime) {
  Answers(20);
  EXPECT_EQ(presence_.state(), State::kThere);
  IsSilent(9);
  EXPECT_EQ(presence_.state(), State::kThere);
  IsSilent(1);
  EXPECT_EQ(presence_.state(), State::kAway);
}

TEST_F(MapperPresenceTest, AfterAStartOfThisServiceTheTimeBeginsAnew) {
  EXPECT_EQ(presence_.state(), State::kComing);
  IsSilent(9);
  EXPECT_EQ(presence_.state(), State::kComing);
  IsSilent(1);
  EXPECT_EQ(presence_.state(), State::kAway);
}

TEST_F(MapperPresenceTest, AShortSilenceIsNothing) {
  Answers(20);
  for (int i = 0; i < 5; ++i) {
    IsSilent(9);
    Answers(1);
    EXPECT_EQ(presence_.state(), State::kThere);
  }
}

TEST_F(MapperPresenceTest, IsThereWhenItHasHadTheTimeToSpeak) {
  IsSilent(10);
  Answers(10);
  EXPECT_EQ(presence_.state(), State::kComing);
  IsSilent(1);
  Answers(10);
  EXPECT_EQ(presence_.state(), State::kComing) << "the time begins anew";
  Answers(1);
  EXPECT_EQ(presence_.state(), State::kThere);
}

TEST_F(MapperPresenceTest, OneSilenceHoweverLongIsNotEnough) {
  Answers(20);
  presence_.Silent(now_, now_ + absl::Hours(1));
  EXPECT_EQ(presence_.state(), State::kThere) << "this process was stopped";
  now_ += absl::Hours(1);
  IsSilent(1);
  EXPECT_EQ(presence_.state(), State::kAway);
}

TEST_F(MapperPresenceTest, WhoReportsIsThere) {
  Answers(20);
  for (int i = 0; i < 5; ++i) {
    IsSilent(9);
    presence_.Reported();
    EXPECT_EQ(presence_.state(), State::kThere);
  }
}

TEST_F(MapperPresenceTest, WhoReportsAndNeverAnswersIsAwayOnce) {
  IsSilent(10);
  EXPECT_EQ(presence_.state(), State::kAway);
  for (int i = 0; i < 5; ++i) {
    presence_.Reported();
    IsSilent(30);
    EXPECT_EQ(presence_.state(), State::kComing);
  }
  Answers(1);
  IsSilent(10);
  EXPECT_EQ(presence_.state(), State::kAway);
}

TEST_F(MapperPresenceTest, ARegistrationBeginsAnew) {
  IsSilent(10);
  presence_.Registered();
  EXPECT_EQ(presence_.state(), State::kComing);
  IsSilent(9);
  EXPECT_EQ(presence_.state(), State::kComing);
  IsSilent(1);
  EXPECT_EQ(presence_.state(), State::kAway);
  presence_.Reported();
  presence_.Registered();
  IsSilent(10);
  EXPECT_EQ(presence_.state(), State::kAway);
}

}  // namespace
}  // namespace skerry::twin
