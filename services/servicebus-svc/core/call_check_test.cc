#include "services/servicebus-svc/core/call_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

TEST(CallCheckTest, KnowsTheMethods) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
    EXPECT_THAT(CheckCall(method, {}), IsOk()) << method;
  for (const char* method : {"", "get", "CONNECT", "TRACE", "GET ", "GET\r\nX: y"})
    EXPECT_THAT(CheckCall(method, {}), HasReason("CALL_INVALID")) << method;
}

TEST(CallCheckTest, BoundsHeaders) {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_THAT(CheckCall("GET", Headers(kCallHeadersMax, {"a", "b"})), IsOk());
  EXPECT_THAT(CheckCall("GET", Headers(kCallHeadersMax + 1, {"a", "b"})),
              HasReason("CALL_INVALID"));
  EXPECT_THAT(CheckCall("GET", {{"a", std::string(kCallHeaderBytesMax - 1, 'x')}}), IsOk());
  EXPECT_THAT(CheckCall("GET", {{"a", std::string(kCallHeaderBytesMax, 'x')}}),
              HasReason("CALL_INVALID"));
}

}  // namespace
}  // namespace skerry::servicebus
