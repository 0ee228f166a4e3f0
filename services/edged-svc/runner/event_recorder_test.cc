#include "services/edged-svc/runner/event_recorder.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::edged {
namespace {

class EventRecorderTest : public ::testing::Test {
 protected:
  void Record(const std::string& pod, const std::string& message = "m") {
    events_.Record({"Pod", "ns", pod, pod, ""}, EventType::kNormal, "Started", message);
  }
  // "pod=count …"
  std::string Take() {
    std::string out;
    for (const EventRecord& e : events_.Take())
      absl::StrAppend(&out, e.about.name, "=", e.count, " ");
    return out;
  }

  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"test"};
  EdgedMetrics metrics_{registry_};
  EventRecorder events_{"i", clock_, metrics_};
};

TEST_F(EventRecorderTest, WakesWhoTakesThem) {
  int woken = 0;
  events_.SetWake([&] { ++woken; });
  Record("p");
  clock_.Advance(absl::Seconds(10));
  Record("p");
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(Take(), "p=2 ") << "counted while it waited";
  events_.Answered(1, 0);
  EXPECT_EQ(Take(), "");
}

TEST_F(EventRecorderTest, WhatTheBoundHoldsBackWakesNobody) {
  int woken = 0;
  events_.SetWake([&] { ++woken; });
  for (int i = 0; i < 30; ++i) Record("p");
  EXPECT_EQ(woken, 25);
}

// The link is away, and so is edgehub-svc.
TEST_F(EventRecorderTest, KeepsTheLatestOfTooMany) {
  for (int i = 0; i < 600; ++i) Record(absl::StrCat("p", i));
  std::string all;
  for (std::string batch = Take(); !batch.empty(); batch = Take()) {
    absl::StrAppend(&all, batch);
    events_.Answered(63, 1);
  }
  EXPECT_EQ(all.substr(0, 5), "p88=1");
  EXPECT_EQ(all.substr(all.size() - 7), "p599=1 ");
}

}  // namespace
}  // namespace skerry::edged
