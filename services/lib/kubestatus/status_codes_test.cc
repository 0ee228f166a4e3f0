#include "services/lib/kubestatus/status_codes.h"

#include <gtest/gtest.h>

namespace skerry::kubestatus {
namespace {

using absl::StatusCode;

TEST(StatusCodeOfTest, TellsWhatIsWorthTryingAgain) {
  for (const int code : {429, 500, 502, 503, 599}) {
    EXPECT_EQ(StatusCodeOf(code, ""), StatusCode::kUnavailable) << code;
  }
  for (const int code : {400, 405, 406, 413, 415, 422}) {
    EXPECT_EQ(StatusCodeOf(code, ""), StatusCode::kInvalidArgument) << code;
  }
  EXPECT_EQ(StatusCodeOf(302, ""), StatusCode::kUnknown);
  EXPECT_EQ(StatusCodeOf(501, ""), StatusCode::kUnimplemented);
}

TEST(StatusCodeOfTest, TellsConflictsApart) {
  EXPECT_EQ(StatusCodeOf(409, "AlreadyExists"), StatusCode::kAlreadyExists);
  EXPECT_EQ(StatusCodeOf(409, "Conflict"), StatusCode::kAborted);
  EXPECT_EQ(StatusCodeOf(409, ""), StatusCode::kAborted);
}

struct Case {
  StatusCode code;
  int http_code;
  const char* reason;
  StatusCode heard;  // By the client that gets the answer.
};

TEST(AnswerToTest, IsHeardAsItIsMeant) {
  const Case cases[] = {
      {StatusCode::kInvalidArgument, 400, "BadRequest", StatusCode::kInvalidArgument},
      {StatusCode::kUnauthenticated, 401, "Unauthorized", StatusCode::kUnauthenticated},
      {StatusCode::kPermissionDenied, 403, "Forbidden", StatusCode::kPermissionDenied},
      {StatusCode::kNotFound, 404, "NotFound", StatusCode::kNotFound},
      {StatusCode::kUnimplemented, 405, "MethodNotAllowed", StatusCode::kInvalidArgument},
      {StatusCode::kAlreadyExists, 409, "AlreadyExists", StatusCode::kAlreadyExists},
      {StatusCode::kAborted, 409, "Conflict", StatusCode::kAborted},
      {StatusCode::kOutOfRange, 410, "Expired", StatusCode::kOutOfRange},
      {StatusCode::kResourceExhausted, 429, "TooManyRequests", StatusCode::kUnavailable},
      {StatusCode::kUnavailable, 503, "ServiceUnavailable", StatusCode::kUnavailable},
      {StatusCode::kDeadlineExceeded, 504, "Timeout", StatusCode::kDeadlineExceeded},
      {StatusCode::kCancelled, 504, "Timeout", StatusCode::kDeadlineExceeded},
      {StatusCode::kInternal, 500, "InternalError", StatusCode::kUnavailable},
      {StatusCode::kDataLoss, 500, "InternalError", StatusCode::kUnavailable},
      {StatusCode::kUnknown, 500, "InternalError", StatusCode::kUnavailable},
  };
  for (const Case& c : cases) {
    const HttpAnswer answer = AnswerTo(c.code);
    EXPECT_EQ(answer.code, c.http_code) << c.reason;
    EXPECT_STREQ(answer.reason, c.reason);
    EXPECT_EQ(StatusCodeOf(answer.code, answer.reason), c.heard) << c.reason;
  }
}

}  // namespace
}  // namespace skerry::kubestatus
