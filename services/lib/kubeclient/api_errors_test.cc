#include "services/lib/kubeclient/api_errors.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"

namespace skerry::kubeclient {
namespace {

using absl::StatusCode;

TEST(StatusFromAnswerTest, MapsEveryKindOfAnswer) {
  struct Case {
    int http_status;
    const char* reason;
    StatusCode code;
    const char* info;
  };
  const Case cases[] = {
      {400, "BadRequest", StatusCode::kInvalidArgument, "BAD_REQUEST"},
      {401, "Unauthorized", StatusCode::kUnauthenticated, "UNAUTHORIZED"},
      {403, "Forbidden", StatusCode::kPermissionDenied, "FORBIDDEN"},
      {404, "NotFound", StatusCode::kNotFound, "NOT_FOUND"},
      {405, "MethodNotAllowed", StatusCode::kInvalidArgument, "METHOD_NOT_ALLOWED"},
      {408, "Timeout", StatusCode::kDeadlineExceeded, "TIMEOUT"},
      {409, "AlreadyExists", StatusCode::kAlreadyExists, "ALREADY_EXISTS"},
      {409, "Conflict", StatusCode::kAborted, "CONFLICT"},
      {410, "Expired", StatusCode::kOutOfRange, "EXPIRED"},
      {410, "Gone", StatusCode::kOutOfRange, "GONE"},
      {413, "RequestEntityTooLarge", StatusCode::kInvalidArgument, "REQUEST_ENTITY_TOO_LARGE"},
      {415, "UnsupportedMediaType", StatusCode::kInvalidArgument, "UNSUPPORTED_MEDIA_TYPE"},
      {422, "Invalid", StatusCode::kInvalidArgument, "INVALID"},
      {429, "TooManyRequests", StatusCode::kUnavailable, "TOO_MANY_REQUESTS"},
      {500, "InternalError", StatusCode::kUnavailable, "INTERNAL_ERROR"},
      {501, "", StatusCode::kUnimplemented, "HTTP_501"},
      {503, "ServiceUnavailable", StatusCode::kUnavailable, "SERVICE_UNAVAILABLE"},
      {504, "Timeout", StatusCode::kDeadlineExceeded, "TIMEOUT"},
      {302, "", StatusCode::kUnknown, "HTTP_302"},
  };
  for (const Case& c : cases) {
    const std::string body =
        std::string(R"({"kind":"Status","message":"m","reason":")") + c.reason + R"("})";
    const absl::Status status = StatusFromAnswer(c.http_status, body, std::nullopt);
    EXPECT_EQ(status.code(), c.code) << c.http_status;
    EXPECT_EQ(GetErrorInfo(status).reason, c.info);
    EXPECT_EQ(status.message(), "m");
  }
}

TEST(StatusFromAnswerTest, KeepsTheCauses) {
  const absl::Status status =
      StatusFromAnswer(422, R"({"reason":"Invalid","message":"m","details":{"causes":[
      {"reason":"FieldValueInvalid","message":"too long","field":"metadata.name"}]}})",
                       std::nullopt);
  EXPECT_EQ(GetErrorInfo(status).metadata["cause.metadata.name"], "too long");
}

TEST(StatusFromAnswerTest, KeepsRetryAfter) {
  EXPECT_EQ(RetryAfter(StatusFromAnswer(429, "", absl::Seconds(3))), absl::Seconds(3));
  EXPECT_EQ(
      RetryAfter(StatusFromAnswer(503, R"({"details":{"retryAfterSeconds":7}})", std::nullopt)),
      absl::Seconds(7));
  EXPECT_EQ(RetryAfter(StatusFromAnswer(503, "", std::nullopt)), std::nullopt);
  EXPECT_EQ(RetryAfter(absl::OkStatus()), std::nullopt);
}

TEST(StatusFromAnswerTest, BodyThatIsNoStatusIsShownShortened) {
  const absl::Status status =
      StatusFromAnswer(502, "<html>bad gateway " + std::string(5000, 'x'), std::nullopt);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("bad gateway"), absl::string_view::npos);
  EXPECT_LT(status.message().size(), 400u);
}

TEST(StatusFromWatchErrorTest, ExpiredIsOutOfRange) {
  EXPECT_EQ(
      StatusFromWatchError(R"({"kind":"Status","code":410,"reason":"Expired","message":"too old"})")
          .code(),
      StatusCode::kOutOfRange);
  EXPECT_EQ(StatusFromWatchError(R"({})").code(), StatusCode::kUnavailable);
  EXPECT_EQ(StatusFromWatchError("x").code(), StatusCode::kInternal);
}

TEST(ApiErrorsTest, WatchResumesOnlyWhenTheServerSaidNothingAboutIt) {
  EXPECT_TRUE(MayResumeWatch(absl::OkStatus()));
  EXPECT_TRUE(MayResumeWatch(absl::UnavailableError("connection lost")));
  EXPECT_TRUE(MayResumeWatch(absl::DeadlineExceededError("connect timed out")));
  for (const int code : {429, 500, 502, 503}) {
    EXPECT_TRUE(MayResumeWatch(StatusFromAnswer(code, "", std::nullopt))) << code;
  }
  for (const int code : {400, 401, 403, 404, 410, 504}) {
    EXPECT_FALSE(MayResumeWatch(StatusFromAnswer(code, "", std::nullopt))) << code;
  }
  for (const char* error : {R"({"code":500})", R"({"code":504,"reason":"Timeout"})", "{}", "no"}) {
    EXPECT_FALSE(MayResumeWatch(StatusFromWatchError(error))) << error;
  }
  EXPECT_FALSE(MayResumeWatch(absl::InternalError("malformed watch event")));
}

}  // namespace
}  // namespace skerry::kubeclient
