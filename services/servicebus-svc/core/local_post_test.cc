#include "services/servicebus-svc/core/local_post.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using skerry::testing::HasReason;
using ::testing::HasSubstr;

bool IsTarget(const std::string& url) { return url == "http://shop/orders"; }

absl::StatusOr<LocalPost> Read(const std::string& payload) {
  return ReadLocalPost(
      absl::StrCat(R"({"method":"POST","targetURL":"http://shop/orders","payload":)", payload, "}"),
      IsTarget);
}

TEST(LocalPostTest, ReadsPayloadsOfEveryKind) {
  EXPECT_EQ(Read(R"("text \u00e4")")->payload, "text \xc3\xa4");
  EXPECT_EQ(Read(R"("text")")->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(Read(R"({"a": [1, 2.5, null]})")->payload, R"({"a":[1,2.5,null]})");
  EXPECT_EQ(Read(R"({"a": 1})")->content_type, "application/json");
  EXPECT_EQ(Read("null")->payload, "");
  EXPECT_EQ(Read("7")->target_url, "http://shop/orders");
}

TEST(LocalPostTest, NamesWhatIsWrong) {
  for (const char* body : {"", "x", "[]", "{}", R"({"method":"POST"})",
                           R"({"method":1,"targetURL":"http://shop/orders"})",
                           R"({"method":"GET","targetURL":"http://shop/orders"})",
                           R"({"method":"POST","targetURL":7})"}) {
    EXPECT_THAT(ReadLocalPost(body, IsTarget), HasReason("POST_INVALID")) << body;
  }
  EXPECT_THAT(Read(absl::StrCat("\"", std::string(kPayloadBytesMax + 1, 'x'), "\"")),
              HasReason("POST_INVALID"));
}

// [sb-2.2]
TEST(LocalPostTest, TakesNoOtherTarget) {
  EXPECT_THAT(ReadLocalPost(R"({"method":"POST","targetURL":"http://shop/orders/"})", IsTarget),
              HasReason("TARGET_NOT_ALLOWED"));
  EXPECT_THAT(ReadLocalPost(R"({"method":"POST","targetURL":"http://shop/orders"})",
                            [](const std::string&) { return false; }),
              HasReason("TARGET_NOT_ALLOWED"));
}

TEST(LocalPostTest, AnswersAsKubeEdgeDoes) {
  EXPECT_EQ(LocalAnswer(absl::OkStatus()),
            R"({"body":"","code":200,"msg":"stored, and sent to the cloud"})");
  EXPECT_THAT(LocalAnswer(absl::PermissionDeniedError("url x is not allowed")),
              HasSubstr(R"("code":400,"msg":"url x is not allowed")"));
  EXPECT_THAT(LocalAnswer(absl::InvalidArgumentError("\xff")), HasSubstr(R"("code":400)"));
  EXPECT_THAT(LocalAnswer(absl::UnavailableError("")), HasSubstr("503"));
  EXPECT_THAT(LocalAnswer(absl::ResourceExhaustedError("")), HasSubstr("429"));
  EXPECT_THAT(LocalAnswer(absl::DeadlineExceededError("")), HasSubstr("408"));
}

}  // namespace
}  // namespace skerry::servicebus
