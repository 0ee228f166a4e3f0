#include "services/edge-meta-svc/core/report_window.h"

#include <gtest/gtest.h>

namespace skerry::edgemeta {
namespace {

using Verdict = ReportWindow::Verdict;

TEST(ReportWindowTest, SendsNothingWhileDetached) {
  ReportWindow window(2);
  EXPECT_EQ(window.room(), 0u);
  EXPECT_FALSE(window.Send(1));
}

TEST(ReportWindowTest, BoundsWhatIsInFlight) {
  ReportWindow window(2);
  window.Attach();
  EXPECT_TRUE(window.Send(1));
  EXPECT_TRUE(window.Send(2));
  EXPECT_EQ(window.room(), 0u);
  EXPECT_EQ(window.OnAnswer(1, absl::OkStatus()), Verdict::kDone);
  EXPECT_EQ(window.room(), 1u);
  EXPECT_EQ(window.cursor(), 2);
}

TEST(ReportWindowTest, SendsEverythingAgainOnANewStream) {
  ReportWindow window(2);
  window.Attach();
  window.Send(5);
  window.Detach();
  EXPECT_EQ(window.OnAnswer(5, absl::OkStatus()), Verdict::kUnknown);
  window.Attach();
  EXPECT_EQ(window.cursor(), 0);
  EXPECT_TRUE(window.Send(5));
}

TEST(ReportWindowTest, PausesWhenTheJournalIsFullAndStartsOver) {
  ReportWindow window(4);
  window.Attach();
  window.Send(1);
  window.Send(2);
  EXPECT_EQ(window.OnAnswer(1, absl::ResourceExhaustedError("full")), Verdict::kRetry);
  EXPECT_EQ(window.room(), 0u);
  window.Restart();
  EXPECT_EQ(window.cursor(), 0);
  EXPECT_TRUE(window.Send(1));
  EXPECT_FALSE(window.Send(2)) << "still in flight";
  EXPECT_EQ(window.OnAnswer(2, absl::OkStatus()), Verdict::kDone);
}

TEST(ReportWindowTest, RefusalsForGoodAreDone) {
  ReportWindow window(4);
  window.Attach();
  window.Send(1);
  EXPECT_EQ(window.OnAnswer(1, absl::InvalidArgumentError("no")), Verdict::kRefused);
  EXPECT_EQ(window.in_flight(), 0u);
}

TEST(ReportWindowTest, UnknownNumbersAreIgnored) {
  ReportWindow window(4);
  window.Attach();
  EXPECT_EQ(window.OnAnswer(7, absl::UnavailableError("x")), Verdict::kUnknown);
  EXPECT_EQ(window.room(), 4u);
}

}  // namespace
}  // namespace skerry::edgemeta
