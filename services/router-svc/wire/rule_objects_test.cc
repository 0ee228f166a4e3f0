#include "services/router-svc/wire/rule_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::Pair;

KubeObject Object(const std::string& spec, const std::string& status = "{}") {
  return *KubeObject::Parse(
      absl::StrCat(R"({"metadata":{"namespace":"ns","name":"r","uid":"u"},"spec":)", spec,
                   R"(,"status":)", status, "}"));
}

TEST(RuleObjectsTest, ReadsRules) {
  const auto rule = ReadRule(Object(
      R"({"source":"s","target":"t","sourceResource":{"path":"/a"},"targetResource":{"topic":"x"}})"));
  SKERRY_ASSERT_OK(rule);
  EXPECT_EQ(rule->name, "ns/r");
  EXPECT_EQ(rule->uid, "u");
  EXPECT_EQ(rule->source, "s");
  EXPECT_THAT(rule->source_resource, ElementsAre(Pair("path", "/a")));
  EXPECT_THAT(rule->target_resource, ElementsAre(Pair("topic", "x")));
}

TEST(RuleObjectsTest, ReadsEndpoints) {
  const auto endpoint = ReadEndpoint(
      Object(R"({"ruleEndpointType":"servicebus","properties":{"service_port":"80"}})"));
  SKERRY_ASSERT_OK(endpoint);
  EXPECT_EQ(endpoint->type, EndpointType::kServiceBus);
  EXPECT_EQ(endpoint->properties.at("service_port"), "80");
}

TEST(RuleObjectsTest, SurvivesEveryShape) {
  for (const char* spec : {"null", "[]", "7", "{}", R"({"source":7})",
                           R"({"source":"s","target":"t","sourceResource":[]})",
                           R"({"source":"s","target":"t","sourceResource":{"path":7}})"}) {
    EXPECT_THAT(ReadRule(Object(spec)), HasReason("RULE_INVALID")) << spec;
    EXPECT_THAT(ReadEndpoint(Object(spec)), HasReason("RULE_ENDPOINT_INVALID")) << spec;
  }
  for (const char* status :
       {"null", "[]", "7", R"({"errors":7,"successMessages":"x","failMessages":-3})",
        R"({"errors":[7]})", R"({"errors":[]})"}) {
    EXPECT_EQ(ReadRuleStatus(Object("{}", status)), RuleStatus{}) << status;
  }
}

TEST(RuleObjectsTest, StatusIsReadAsItIsWritten) {
  const RuleCounters::Change change{
      .rule = "ns/r",
      .uid = "u",
      .status = {.success_messages = 3, .fail_messages = 1, .error = "no\xff"}};
  EXPECT_EQ(
      RuleStatusPatch({.rule = "ns/r", .uid = "u", .status = {.success_messages = 3}}),
      R"({"metadata":{"uid":"u"},"status":{"errors":[],"failMessages":0,"successMessages":3}})");
  EXPECT_EQ(ReadRuleStatus(
                Object("{}", R"({"errors":["old","no"],"failMessages":1,"successMessages":3})")),
            (RuleStatus{.success_messages = 3, .fail_messages = 1, .error = "no"}));
  EXPECT_FALSE(RuleStatusPatch(change).empty());
}

}  // namespace
}  // namespace skerry::router
