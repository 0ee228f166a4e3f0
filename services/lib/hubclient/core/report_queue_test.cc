#include "services/lib/hubclient/core/report_queue.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::hubclient {
namespace {

using Verdict = ReportQueue::Verdict;

Report Of(const std::string& key, const std::string& value) {
  return {.type = "twins", .key = key, .value = value, .done = [](absl::Status) {}};
}

class ReportQueueTest : public ::testing::Test {
 protected:
  // "key=value" of the next; "" for none. Its request is kept.
  std::string Next() {
    const auto next = queue_.Next();
    if (!next.has_value()) return "";
    request_ = next->request_id;
    return absl::StrCat(next->report.key, "=", next->report.value);
  }

  ReportQueue queue_{2};
  uint64_t request_ = 0;
};

TEST_F(ReportQueueTest, SendsTheNewestOfEachKeyInTheOrderOfTheFirst) {
  EXPECT_FALSE(queue_.Put(Of("a", "1")).has_value());
  EXPECT_FALSE(queue_.Put(Of("b", "1")).has_value());
  EXPECT_EQ(queue_.Put(Of("a", "2"))->value, "1");
  EXPECT_EQ(Next(), "a=2");
  EXPECT_EQ(Next(), "b=1");
  EXPECT_EQ(Next(), "");
}

TEST_F(ReportQueueTest, OneOfAKeyIsUnderWayAtATime) {
  queue_.Put(Of("a", "1"));
  EXPECT_EQ(Next(), "a=1");
  const uint64_t first = request_;
  queue_.Put(Of("a", "2"));
  queue_.Put(Of("a", "3"));
  EXPECT_EQ(Next(), "");
  const ReportQueue::Answer answer = queue_.Answered(first, absl::OkStatus());
  EXPECT_EQ(answer.verdict, Verdict::kStored);
  EXPECT_EQ(answer.report->value, "1");
  EXPECT_EQ(Next(), "a=3");
  EXPECT_EQ(queue_.Answered(first, absl::OkStatus()).verdict, Verdict::kUnknown);
}

TEST_F(ReportQueueTest, IsBoundedByWhatIsUnderWay) {
  for (const char* key : {"a", "b", "c"}) queue_.Put(Of(key, "1"));
  EXPECT_EQ(Next(), "a=1");
  EXPECT_EQ(Next(), "b=1");
  EXPECT_EQ(Next(), "");
  queue_.Answered(request_, absl::OkStatus());
  EXPECT_EQ(Next(), "c=1");
}

TEST_F(ReportQueueTest, WhatCannotBeStoredNowGoesAgainAfterAPause) {
  queue_.Put(Of("a", "1"));
  queue_.Put(Of("b", "1"));
  EXPECT_EQ(Next(), "a=1");
  const ReportQueue::Answer answer =
      queue_.Answered(request_, absl::ResourceExhaustedError("full"));
  EXPECT_EQ(answer.verdict, Verdict::kRetry);
  EXPECT_FALSE(answer.report.has_value());
  EXPECT_EQ(Next(), "");
  queue_.Resume();
  EXPECT_EQ(Next(), "a=1");
  queue_.Put(Of("a", "2"));
  EXPECT_EQ(queue_.Answered(request_, absl::InternalError("disk")).report->value, "1")
      << "a newer one waits";
  queue_.Resume();
  EXPECT_EQ(Next(), "a=2");
}

TEST_F(ReportQueueTest, WhatIsRefusedForGoodEnds) {
  queue_.Put(Of("a", "1"));
  Next();
  const ReportQueue::Answer answer = queue_.Answered(request_, absl::InvalidArgumentError("no"));
  EXPECT_EQ(answer.verdict, Verdict::kRefused);
  EXPECT_EQ(answer.report->value, "1");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ReportQueueTest, AfterALossWhatWasUnderWayGoesFirstInItsOrder) {
  for (const char* key : {"a", "b", "c"}) queue_.Put(Of(key, "1"));
  Next();
  Next();
  queue_.Put(Of("b", "2"));
  const std::vector<Report> replaced = queue_.Detach();
  ASSERT_EQ(replaced.size(), 1u);
  EXPECT_EQ(replaced[0].key, "b");
  EXPECT_EQ(Next(), "a=1");
  EXPECT_EQ(Next(), "b=2");
  EXPECT_EQ(queue_.in_flight(), 2u);
}

TEST_F(ReportQueueTest, ClearGivesBackAll) {
  queue_.Put(Of("a", "1"));
  Next();
  queue_.Put(Of("a", "2"));
  queue_.Put(Of("b", "1"));
  EXPECT_EQ(queue_.Clear().size(), 3u);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(Next(), "");
}

}  // namespace
}  // namespace skerry::hubclient
