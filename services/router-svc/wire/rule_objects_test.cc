#include "services/router-svc/wire/rule_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/json.h"
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

// [rt-1.4]
TEST(RuleObjectsTest, ABoxGetsWhereMessagesComeFrom) {
  const auto rule = [](const char* topic, const char* target, const char* status) {
    return Object(
        absl::StrCat(R"({"source":"bus","sourceResource":{"topic":")", topic,
                     R"(","node_name":"edge-1"},"target":"rest","targetResource":{"resource":")",
                     target, R"("}})"),
        status);
  };
  const auto box = ForBox(rule("alarms", "http://secret/", "{}"));
  ASSERT_TRUE(box.has_value());
  EXPECT_EQ(box->node, "edge-1");
  EXPECT_EQ(box->object.key(), "ns/r");
  EXPECT_EQ(box->object.uid(), "u");
  EXPECT_EQ(kubeapi::StringAt(box->object.Json(), {"spec", "sourceResource", "topic"}), "alarms");
  EXPECT_EQ(box->object.text().find("secret"), std::string::npos);
  // Its version is the content's.
  EXPECT_EQ(ForBox(rule("alarms", "http://other/", R"({"successMessages":7})"))
                ->object.resource_version(),
            box->object.resource_version());
  EXPECT_NE(ForBox(rule("other", "http://secret/", "{}"))->object.resource_version(),
            box->object.resource_version());
  EXPECT_FALSE(ForBox(Object(R"({"source":"rest","sourceResource":{"path":"/a"},"target":"t"})"))
                   .has_value());
  EXPECT_FALSE(ForBox(Object(R"({"source":"s","sourceResource":{"node_name":"A B"},"target":"t"})"))
                   .has_value());
  EXPECT_FALSE(ForBox(Object("7")).has_value());
}

}  // namespace
}  // namespace skerry::router
