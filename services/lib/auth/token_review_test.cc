#include "services/lib/auth/token_review.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::auth {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Review(const std::string& status) {
  return absl::StrCat(R"({"kind":"TokenReview","metadata":{"creationTimestamp":null},"status":)",
                      status, "}");
}

TEST(TokenReviewTest, AsksForTheAudience) {
  EXPECT_EQ(TokenReviewBody("t\"1", "skerry"),
            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
            R"("spec":{"audiences":["skerry"],"token":"t\"1"}})");
  EXPECT_EQ(TokenReviewBody("t", ""),
            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
            R"("spec":{"token":"t"}})");
}

TEST(TokenReviewTest, ReadsWhoItIs) {
  const std::string answer =
      Review(R"({"authenticated":true,"audiences":["other","skerry"],)"
             R"("user":{"username":"jane","uid":"1","groups":["a","b"],"extra":{}}})");
  const auto user = ReadTokenReview(answer, "skerry");
  ASSERT_THAT(user, testing::IsOk());
  EXPECT_EQ(user->name, "jane");
  EXPECT_THAT(user->groups, ElementsAre("a", "b"));
  EXPECT_THAT(ReadTokenReview(answer, ""), testing::IsOk());
}

TEST(TokenReviewTest, ATokenThatIsNotForUsIsRefused) {
  for (const char* audiences : {"", R"("audiences":["other"],)", R"("audiences":"skerry",)"}) {
    EXPECT_THAT(ReadTokenReview(Review(absl::StrCat(R"({"authenticated":true,)", audiences,
                                                    R"("user":{"username":"jane"}})")),
                                "skerry")
                    .status(),
                HasReason("TOKEN_AUDIENCE"))
        << audiences;
  }
}

TEST(TokenReviewTest, WhatIsNotAuthenticatedIsRefusedWithTheServersWords) {
  const absl::Status refused =
      ReadTokenReview(
          Review(absl::StrCat(R"({"error":")", std::string(999, 'x'), R"(","user":{}})")), "")
          .status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(refused, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("xxx"));
  EXPECT_LT(refused.message().size(), 400u);
  EXPECT_THAT(ReadTokenReview(Review(R"({"authenticated":"true","user":{"username":"jane"}})"), "")
                  .status(),
              HasReason("TOKEN_INVALID"));
}

TEST(TokenReviewTest, WhatIsNoTokenReviewIsNobody) {
  for (const char* answer : {"", "[]", "{}", R"({"kind":"Status","status":"Failure"})",
                             R"({"kind":"TokenReview","status":{"authenticated":true}})"}) {
    EXPECT_FALSE(ReadTokenReview(answer, "").ok()) << answer;
  }
  EXPECT_THAT(ReadTokenReview(Review(R"({"authenticated":true,"user":{"username":7}})"), ""),
              StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace skerry::auth
