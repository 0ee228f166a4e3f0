#include "services/lib/auth/token_reviews.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::auth {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Answer = absl::StatusOr<security::TokenIdentity>;

// An API that knows the token "jane"; `refuse` and `fail` change that.
class TokenReviewsTest : public ::testing::Test {
 protected:
  void Open(TokenReviews::Options options = {}) {
    options.audience = "skerry";
    reviews_ = std::make_unique<TokenReviews>(
        options, *TokenBindings::Parse({"jane=skerry:operators"}, {"staff=skerry:viewers"}),
        [this](const std::string& body, absl::Duration timeout, std::stop_token stop) {
          return Post(body, timeout, stop);
        },
        clock_, registry_, log::Logger::Null());
  }
  absl::StatusOr<std::string> Post(const std::string& body, absl::Duration timeout,
                                   std::stop_token stop) {
    std::function<void(std::stop_token)> hold;
    {
      absl::MutexLock lock(&mutex_);
      ++posts_;
      timeout_ = timeout;
      hold = hold_;
    }
    if (hold) hold(stop);
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok()) return failure_;
    if (revoked_ || !absl::StrContains(body, R"("token":"jane")"))
      return std::string(R"({"kind":"TokenReview","status":{"error":"unknown"}})");
    return std::string(
        R"({"kind":"TokenReview","status":{"authenticated":true,"audiences":["skerry"],)"
        R"("user":{"username":"jane","groups":["staff"]}}})");
  }
  Answer Ask(absl::string_view token) {
    absl::Notification told;
    Answer answer;
    reviews_->Authenticate(token, [&](Answer given) {
      answer = std::move(given);
      told.Notify();
    });
    told.WaitForNotification();
    return answer;
  }
  int posts() {
    absl::MutexLock lock(&mutex_);
    return posts_;
  }
  void Revoke() {
    absl::MutexLock lock(&mutex_);
    revoked_ = true;
  }
  void Fail(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    failure_ = std::move(status);
  }
  void Hold(std::function<void(std::stop_token)> hold) {
    absl::MutexLock lock(&mutex_);
    hold_ = std::move(hold);
  }

  testing::FakeClock clock_;
  metrics::Registry registry_{"test"};
  absl::Mutex mutex_;
  int posts_ = 0;
  absl::Duration timeout_;
  bool revoked_ = false;
  absl::Status failure_;
  std::function<void(std::stop_token)> hold_;
  std::unique_ptr<TokenReviews> reviews_;
};

TEST_F(TokenReviewsTest, TellsWhoItIsAndWhatIsBound) {
  Open();
  const Answer answer = Ask("jane");
  ASSERT_THAT(answer, testing::IsOk());
  EXPECT_EQ(answer->user, "jane");
  EXPECT_THAT(answer->organizations, ElementsAre("skerry:operators", "skerry:viewers"));
  EXPECT_EQ(timeout_, absl::Seconds(5));
}

TEST_F(TokenReviewsTest, ARevokedTokenIsRefusedTenSecondsLaterAtTheLatest) {
  Open();
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  Revoke();
  clock_.Advance(absl::Seconds(9));
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  EXPECT_EQ(posts(), 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Ask("jane").status(), HasReason("TOKEN_INVALID"));
  EXPECT_EQ(posts(), 2);
}

TEST_F(TokenReviewsTest, ARefusalIsRememberedForASecond) {
  Open();
  EXPECT_THAT(Ask("joe").status(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(Ask("joe").status(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(posts(), 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Ask("joe").status(), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(posts(), 2);
}

TEST_F(TokenReviewsTest, AnApiThatIsAwayLetsNobodyInAndIsNotRemembered) {
  Open();
  Fail(absl::UnavailableError("connection refused"));
  const absl::Status away = Ask("jane").status();
  EXPECT_THAT(away,
              AllOf(StatusIs(absl::StatusCode::kUnavailable), HasReason("TOKEN_REVIEW_FAILED")));
  EXPECT_THAT(std::string(away.message()), HasSubstr("connection refused"));
  Fail(absl::PermissionDeniedError("no"));
  const absl::Status forbidden = Ask("jane").status();
  EXPECT_THAT(forbidden, HasReason("TOKEN_REVIEW_FAILED"));
  EXPECT_THAT(std::string(forbidden.message()), HasSubstr("may not create tokenreviews"));
  Fail(absl::OkStatus());
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  EXPECT_THAT(registry_.Render(), HasSubstr("result=\"failed\"} 2"));
}

TEST_F(TokenReviewsTest, WhoIsAcceptedStaysSoWhileTheApiIsAway) {
  Open();
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  Fail(absl::UnavailableError("connection refused"));
  clock_.Advance(absl::Seconds(9));
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Ask("jane").status(), HasReason("TOKEN_REVIEW_FAILED"));
}

TEST_F(TokenReviewsTest, OneReviewAnswersAllWhoWaitForIt) {
  absl::Notification go;
  Hold([&](std::stop_token) { go.WaitForNotification(); });
  Open();
  absl::BlockingCounter told(10);
  for (int i = 0; i < 10; ++i) {
    reviews_->Authenticate("jane", [&](const Answer& answer) {
      EXPECT_THAT(answer, testing::IsOk());
      told.DecrementCount();
    });
  }
  go.Notify();
  told.Wait();
  EXPECT_EQ(posts(), 1);
}

TEST_F(TokenReviewsTest, RefusesMoreThanMayWait) {
  absl::Notification go;
  Hold([&](std::stop_token) { go.WaitForNotification(); });
  Open({.threads = 1, .reviews_max = 2, .calls_max = 5});
  absl::Mutex mutex;
  std::vector<absl::Status> busy;
  const auto done = [&](const Answer& answer) {
    absl::MutexLock lock(&mutex);
    if (absl::IsResourceExhausted(answer.status())) busy.push_back(answer.status());
  };
  // At most one is with the thread and two wait for it.
  for (int i = 0; i < 10; ++i) reviews_->Authenticate(absl::StrCat("t", i), done);
  {
    absl::MutexLock lock(&mutex);
    EXPECT_GE(busy.size(), 7u);
    EXPECT_LE(busy.size(), 8u);
    EXPECT_THAT(busy[0], HasReason("TOKEN_REVIEWS_BUSY"));
    busy.clear();
  }
  for (int i = 0; i < 10; ++i) reviews_->Authenticate("t0", done);
  {
    absl::MutexLock lock(&mutex);
    EXPECT_GE(busy.size(), 7u) << "five calls may wait, two or three do";
  }
  go.Notify();
  reviews_.reset();
}

TEST_F(TokenReviewsTest, NeverHoldsMoreThanItsBounds) {
  Open({.accepted_bytes_max = 2048, .refused_bytes_max = 2048});
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(Ask(absl::StrCat("no", i)).ok());
  EXPECT_THAT(Ask("jane"), testing::IsOk());
  EXPECT_EQ(posts(), 51) << "refusals do not push out who is accepted";
  EXPECT_THAT(registry_.Render(),
              ::testing::Not(HasSubstr("skerry_auth_token_cache_evictions_total 0")));
}

TEST_F(TokenReviewsTest, ItsEndAnswersWhatWaits) {
  absl::Notification begun;
  Hold([&](std::stop_token stop) {
    absl::Notification stopped;
    std::stop_callback on_stop(stop, [&] { stopped.Notify(); });
    if (!begun.HasBeenNotified()) begun.Notify();
    stopped.WaitForNotification();
    Fail(absl::CancelledError("stopped"));
  });
  Open({.threads = 1});
  std::vector<absl::Status> ends;
  for (const char* token : {"a", "b"}) {
    reviews_->Authenticate(token, [&](const Answer& answer) { ends.push_back(answer.status()); });
  }
  begun.WaitForNotification();
  reviews_.reset();
  EXPECT_THAT(ends,
              ElementsAre(HasReason("TOKEN_REVIEW_FAILED"), HasReason("TOKEN_REVIEW_FAILED")));
}

TEST_F(TokenReviewsTest, SomebodyWithoutABindingHasNoOrganization) {
  reviews_ = std::make_unique<TokenReviews>(
      TokenReviews::Options{.audience = "skerry"},
      *TokenBindings::Parse({"joe=skerry:viewers"}, {}),
      [this](const std::string& body, absl::Duration timeout, std::stop_token stop) {
        return Post(body, timeout, stop);
      },
      clock_, registry_, log::Logger::Null());
  const Answer answer = Ask("jane");
  ASSERT_THAT(answer, testing::IsOk());
  EXPECT_THAT(answer->organizations, IsEmpty());
}

}  // namespace
}  // namespace skerry::auth
