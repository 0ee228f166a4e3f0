#include "services/router-svc/core/delivery.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"

namespace skerry::router {
namespace {

// [rt-3.3]
TEST(DeliveryTest, JudgesAnswers) {
  for (const int status : {200, 201, 204, 299})
    EXPECT_EQ(JudgeAnswer(status), Verdict::kArrived) << status;
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599})
    EXPECT_EQ(JudgeAnswer(status), Verdict::kAgain) << status;
  for (const int status :
       {0, 100, 199, 301, 302, 307, 400, 401, 403, 404, 405, 410, 413, 422, 501, 505})
    EXPECT_EQ(JudgeAnswer(status), Verdict::kNever) << status;
}

TEST(DeliveryTest, JudgesErrors) {
  EXPECT_EQ(JudgeError(absl::UnavailableError("")), Verdict::kAgain);
  EXPECT_EQ(JudgeError(absl::DeadlineExceededError("")), Verdict::kAgain);
  EXPECT_EQ(JudgeError(absl::CancelledError("")), Verdict::kAgain);
  EXPECT_EQ(JudgeError(absl::InvalidArgumentError("")), Verdict::kNever);
  EXPECT_EQ(JudgeError(absl::PermissionDeniedError("")), Verdict::kNever);
  EXPECT_EQ(
      JudgeError(Error(absl::StatusCode::kResourceExhausted, "").Reason("HTTP_ANSWER_TOO_LARGE")),
      Verdict::kArrived);
}

TEST(DeliveryTest, BacksOffToItsBound) {
  const DeliveryPolicy policy{.backoff_min = absl::Seconds(1), .backoff_max = absl::Seconds(5)};
  EXPECT_EQ(Backoff(policy, 1, 0), absl::Seconds(0.5));
  EXPECT_EQ(Backoff(policy, 2, 0), absl::Seconds(1));
  EXPECT_EQ(Backoff(policy, 3, 0), absl::Seconds(2));
  EXPECT_EQ(Backoff(policy, 4, 0), absl::Seconds(2.5));
  EXPECT_EQ(Backoff(policy, 1000000, 0), absl::Seconds(2.5));
  EXPECT_LT(Backoff(policy, 1000000, 0.999), absl::Seconds(5));
}

}  // namespace
}  // namespace skerry::router
