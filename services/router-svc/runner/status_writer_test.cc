#include "services/router-svc/runner/status_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "services/lib/kubeapi/json.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/router-svc/testing/rules_api.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {
namespace {

class StatusWriterTest : public ::testing::Test {
 protected:
  StatusWriterTest() {
    rules_.UpsertRule(api_.Put(
        Rules(),
        R"({"apiVersion":"rules.kubeedge.io/v1","kind":"Rule","metadata":{"namespace":"ns","name":"r"},"spec":{
          "source":"s","sourceResource":{},"target":"t","targetResource":{}},"status":{"successMessages":5}})"));
    writer_.Start();
  }
  int64_t Success() {
    return kubeapi::IntAt(api_.Peek(Rules(), "ns/r")->Json(), {"status", "successMessages"});
  }
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RuleBook rules_{std::nullopt, metrics_};
  RulesApi api_;
  StatusWriter writer_{absl::Seconds(10), rules_, api_, clock_, metrics_, log::Logger::Null()};
};

// [rt-4.1]
TEST_F(StatusWriterTest, WritesWhatChangedOnce) {
  rules_.Succeeded("ns/r", 2);
  clock_.Advance(absl::Seconds(10));
  ASSERT_TRUE(api_.Await(Rules(), "ns/r", [](const std::optional<KubeObject>& rule) {
    return kubeapi::IntAt(rule->Json(), {"status", "successMessages"}) == 7;
  }));
  // Its own write comes back.
  rules_.UpsertRule(*api_.Peek(Rules(), "ns/r"));
  writer_.Stop(/*flush=*/true);
  EXPECT_EQ(api_.calls("PATCH"), 1);
}

// [rt-4.2]
TEST_F(StatusWriterTest, WritesAgainWhatFailed) {
  api_.SetHook([](absl::string_view verb, const kubeclient::Resource&, absl::string_view) {
    return verb == "PATCH" ? absl::UnavailableError("away") : absl::OkStatus();
  });
  rules_.Succeeded("ns/r", 2);
  clock_.Advance(absl::Seconds(10));
  writer_.Stop(/*flush=*/true);
  EXPECT_EQ(Success(), 5);
  EXPECT_GE(metrics_.status_writes_failed.Value(), 1);
  api_.SetHook(nullptr);
  StatusWriter next(absl::Seconds(10), rules_, api_, clock_, metrics_, log::Logger::Null());
  next.Stop(/*flush=*/true);
  EXPECT_EQ(Success(), 7);
}

TEST_F(StatusWriterTest, ARuleThatIsGoneIsLeft) {
  rules_.Succeeded("ns/r", 2);
  api_.Remove(Rules(), "ns", "r");
  writer_.Stop(/*flush=*/true);
  EXPECT_EQ(metrics_.status_writes_failed.Value(), 0);
}

}  // namespace
}  // namespace skerry::router
