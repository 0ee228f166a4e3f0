// gMock matchers for absl::Status and StatusOr.
#ifndef SKERRY_SERVICES_LIB_TESTING_STATUS_MATCHERS_H_
#define SKERRY_SERVICES_LIB_TESTING_STATUS_MATCHERS_H_

#include <gmock/gmock.h>

#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"

namespace skerry::testing {

inline const absl::Status& ToStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& ToStatus(const absl::StatusOr<T>& result) {
  return result.status();
}

// EXPECT_THAT(store.Open(), IsOk());
MATCHER(IsOk, negation ? "is an error" : "is OK") {
  if (ToStatus(arg).ok()) return true;
  *result_listener << "which is " << ToStatus(arg).ToString();
  return false;
}

// EXPECT_THAT(store.Get(key), StatusIs(absl::StatusCode::kNotFound));
MATCHER_P(StatusIs, code,
          std::string(negation ? "is not " : "is ") + absl::StatusCodeToString(code)) {
  *result_listener << "which is " << ToStatus(arg).ToString();
  return ToStatus(arg).code() == code;
}

// With a message that satisfies a string matcher: StatusIsWith(code, HasSubstr("twice")).
MATCHER_P2(StatusIsWith, code, message, absl::StatusCodeToString(code) + " with a given message") {
  *result_listener << "which is " << ToStatus(arg).ToString();
  return ToStatus(arg).code() == code &&
         ::testing::Matches(message)(std::string(ToStatus(arg).message()));
}

// With an ErrorInfo reason: HasReason("NODE_UNKNOWN").
MATCHER_P(HasReason, reason, std::string("has reason ") + std::string(reason)) {
  *result_listener << "whose reason is '" << GetErrorInfo(ToStatus(arg)).reason << "'";
  return GetErrorInfo(ToStatus(arg)).reason == reason;
}

// EXPECT_THAT(store.Get(key), IsOkAndHolds("value")); takes a value or a matcher.
MATCHER_P(IsOkAndHolds, inner, "is OK and holds " + ::testing::PrintToString(inner)) {
  if (!arg.ok()) {
    *result_listener << "which is " << arg.status().ToString();
    return false;
  }
  using Value = std::decay_t<decltype(*arg)>;
  return ::testing::ExplainMatchResult(::testing::SafeMatcherCast<const Value&>(inner), *arg,
                                       result_listener);
}

}  // namespace skerry::testing

#define SKERRY_EXPECT_OK(expr) EXPECT_THAT((expr), ::skerry::testing::IsOk())
#define SKERRY_ASSERT_OK(expr) ASSERT_THAT((expr), ::skerry::testing::IsOk())

#endif  // SKERRY_SERVICES_LIB_TESTING_STATUS_MATCHERS_H_
