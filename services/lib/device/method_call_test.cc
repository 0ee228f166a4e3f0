#include "services/lib/device/method_call.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::device {
namespace {

using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

twin::v1::MethodCall Call() {
  twin::v1::MethodCall call;
  call.set_device("plant/a");
  call.set_method("flush");
  return call;
}

TEST(MethodCallTest, TakesWhatKeepsItsBounds) {
  twin::v1::MethodCall call = Call();
  call.set_method(std::string(128, 'm'));
  call.set_request_id(std::string(128, 'r'));
  (*call.mutable_arguments())["x"] = std::string((64 << 10) - 1, 'x');
  EXPECT_EQ(CheckCall(call)->value(), "plant/a");
}

TEST(MethodCallTest, NamesWhatDoesNot) {
  const auto refused = [](const twin::v1::MethodCall& call, const char* field) {
    EXPECT_THAT(CheckCall(call),
                StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  twin::v1::MethodCall call = Call();
  call.set_device("a");
  refused(call, "device");
  call = Call();
  call.clear_method();
  refused(call, "method");
  call.set_method(std::string(129, 'm'));
  refused(call, "method");
  call = Call();
  call.set_request_id(std::string(129, 'r'));
  refused(call, "request_id");
  call = Call();
  (*call.mutable_arguments())["x"] = std::string(64 << 10, 'x');
  refused(call, "arguments");
  call = Call();
  for (int i = 0; i < 65; ++i) (*call.mutable_arguments())[absl::StrCat(i)] = "";
  refused(call, "arguments");
}

}  // namespace
}  // namespace skerry::device
