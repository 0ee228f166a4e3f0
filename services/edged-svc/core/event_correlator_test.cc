#include "services/edged-svc/core/event_correlator.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

class EventCorrelatorTest : public ::testing::Test {
 protected:
  std::optional<EventRecord> Observe(const std::string& message = "m",
                                     const std::string& reason = "BackOff") {
    return events_.Observe(about_, EventType::kWarning, reason, message, start_ + at_, at_);
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'000'000);
  absl::Duration at_ = absl::ZeroDuration();
  EventTarget about_{"Pod", "ns", "p", "u", "spec.containers{c}"};
  EventCorrelator events_{"i"};
};

TEST_F(EventCorrelatorTest, TheSameCountsUp) {
  const auto first = Observe();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->id, "i-1");
  EXPECT_EQ(first->count, 1);
  at_ = absl::Minutes(50);
  const auto second = Observe();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->id, first->id);
  EXPECT_EQ(second->count, 2);
  EXPECT_EQ(second->first, start_);
  EXPECT_EQ(second->last, start_ + at_);
}

TEST_F(EventCorrelatorTest, AnythingElseIsAnotherEvent) {
  const std::string id = Observe()->id;
  EXPECT_NE(Observe("other")->id, id);
  EXPECT_NE(Observe("m", "Failed")->id, id);
  about_.field_path = "spec.containers{d}";
  EXPECT_NE(Observe()->id, id);
  about_ = {"Pod", "ns", "p", "u2", "spec.containers{c}"};
  const auto fresh = Observe();
  EXPECT_NE(fresh->id, id);
  EXPECT_EQ(fresh->count, 1);
}

TEST_F(EventCorrelatorTest, WhatHasNotHappenedForAnHourBeginsAnew) {
  const std::string id = Observe()->id;
  at_ = EventCorrelator::kForget + absl::Seconds(1);
  const auto later = Observe();
  EXPECT_NE(later->id, id);
  EXPECT_EQ(later->count, 1);
  EXPECT_EQ(later->first, start_ + at_);
}

TEST_F(EventCorrelatorTest, AnObjectHasABurstAndThenOneEveryFiveMinutes) {
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(Observe().has_value()) << i;
  EXPECT_FALSE(Observe().has_value());
  at_ += absl::Minutes(5) - absl::Seconds(1);
  EXPECT_FALSE(Observe("another").has_value()) << "the bound is of the object";
  EventTarget other = about_;
  other.uid = "u2";
  EXPECT_TRUE(events_.Observe(other, EventType::kNormal, "Started", "", start_, at_).has_value());
  at_ += absl::Seconds(1);
  const auto told = Observe();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->count, 27) << "what was not told counts";
  EXPECT_FALSE(Observe().has_value());
}

TEST_F(EventCorrelatorTest, AQuietObjectHasItsBurstAgainAndNoMore) {
  for (int i = 0; i < 30; ++i) Observe();
  at_ += absl::Hours(100);
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(Observe().has_value()) << i;
  EXPECT_FALSE(Observe().has_value());
}

TEST_F(EventCorrelatorTest, ManyMessagesOfOneReasonAreCombined) {
  std::string id;
  for (size_t i = 0; i < EventCorrelator::kMessagesMax; ++i)
    EXPECT_EQ(Observe(absl::StrCat("try ", i))->message, absl::StrCat("try ", i));
  const auto eleventh = Observe("try 10");
  EXPECT_EQ(eleventh->message, "(combined from similar events): try 10");
  const auto twelfth = Observe("try 11");
  EXPECT_EQ(twelfth->id, eleventh->id);
  EXPECT_EQ(twelfth->message, "(combined from similar events): try 11");
  EXPECT_EQ(twelfth->count, 2);
  EXPECT_EQ(Observe("try 3")->count, 2) << "those that are known go on counting";
  at_ += EventCorrelator::kCombineWithin + absl::Seconds(1);
  EXPECT_EQ(Observe("try 12")->message, "try 12");
}

TEST_F(EventCorrelatorTest, MessagesAreBounded) {
  const auto told = Observe(std::string(100'000, 'x'));
  EXPECT_EQ(told->message.size(), EventCorrelator::kMessageBytesMax);
}

TEST_F(EventCorrelatorTest, TheUnusedForLongestIsForgotten) {
  const auto of = [&](int pod) {
    EventTarget about = about_;
    about.uid = absl::StrCat(pod);
    return events_.Observe(about, EventType::kNormal, "Started", "", start_, at_);
  };
  of(0);
  for (int pod = 1; pod < 512; ++pod) of(pod);
  EXPECT_EQ(of(0)->count, 2);
  of(512);  // Makes 1 go.
  EXPECT_EQ(of(0)->count, 3);
  EXPECT_EQ(of(1)->count, 1);
}

TEST(KubeEventTest, NamesWhatAnEventIsAbout) {
  PodSpec pod;
  pod.name_space = "ns";
  pod.name = "p";
  pod.uid = "u";
  pod.init_containers.push_back({.name = "prepare"});
  pod.containers.push_back({.name = "web"});
  EXPECT_EQ(AboutPod(pod).field_path, "");
  EXPECT_EQ(AboutContainer(pod, "web").field_path, "spec.containers{web}");
  EXPECT_EQ(AboutContainer(pod, "prepare").field_path, "spec.initContainers{prepare}");
  EXPECT_EQ(AboutNode("edge-1").uid, "edge-1");
}

}  // namespace
}  // namespace skerry::edged
