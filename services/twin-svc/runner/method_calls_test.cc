#include "services/twin-svc/runner/method_calls.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;

// Answers what it is told to.
class Mapper final : public MethodCaller {
 public:
  void CallMethod(v1::MethodCall call, absl::Duration timeout, Done done) override {
    called = std::move(call);
    within = timeout;
    done(answer);
  }

  v1::MethodCall called;
  absl::Duration within;
  absl::StatusOr<v1::MethodResult> answer = v1::MethodResult();
};

class MethodCallsTest : public ::testing::Test {
 protected:
  static v1::MethodCall Call(const std::string& device) {
    v1::MethodCall call;
    call.set_device(device);
    call.set_method("start");
    (*call.mutable_arguments())["speed"] = "3";
    return call;
  }
  absl::StatusOr<v1::MethodResult> Do(const v1::MethodCall& call) {
    absl::StatusOr<v1::MethodResult> result = absl::UnknownError("not called");
    calls_.Call(call, absl::Seconds(7),
                [&](absl::StatusOr<v1::MethodResult> answer) { result = std::move(answer); });
    return result;
  }

  Mapper mapper_;
  MethodCalls calls_{mapper_};
};

TEST_F(MethodCallsTest, AMapperAnswers) {
  mapper_.answer->set_status(200);
  mapper_.answer->set_payload("started");
  const auto result = Do(Call("plant/pump-1"));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->payload(), "started");
  EXPECT_EQ(mapper_.called.method(), "start");
  EXPECT_EQ(mapper_.called.arguments().at("speed"), "3");
  EXPECT_EQ(mapper_.within, absl::Seconds(7));
}

TEST_F(MethodCallsTest, ItsErrorsAreToldAsTheyAre) {
  mapper_.answer = absl::UnavailableError("away");
  EXPECT_THAT(Do(Call("plant/pump-1")).status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(MethodCallsTest, AnAnswerThatIsTooLargeIsSaidSo) {
  mapper_.answer->set_payload(std::string((128 << 10) + 1, 'x'));
  EXPECT_THAT(Do(Call("plant/pump-1")).status(), HasReason("METHOD_ANSWER_TOO_LARGE"));
}

TEST_F(MethodCallsTest, ACommandIsACall) {
  mapper_.answer->set_status(404);
  absl::Status status = absl::UnknownError("not called");
  std::string response;
  const auto done = [&](absl::Status ended, std::string text) {
    status = std::move(ended);
    response = std::move(text);
  };
  calls_.Execute({.key = "k",
                  .type = "devicemethods",
                  .payload = Call("plant/pump-1").SerializeAsString(),
                  .deadline = absl::Seconds(9)},
                 done);
  EXPECT_THAT(status, IsOk());
  v1::MethodResult result;
  ASSERT_TRUE(result.ParseFromString(response));
  EXPECT_EQ(result.status(), 404);
  EXPECT_EQ(mapper_.within, absl::Seconds(9));
  calls_.Execute({.key = "k", .type = "devicemethods", .payload = "\xff\xff"}, done);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::twin
