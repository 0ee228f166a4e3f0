#include "services/router-svc/runner/box_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace skerry::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

KubeObject Rule(const std::string& name, const std::string& node, const std::string& topic) {
  return *KubeObject::Parse(
      absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                   R"(","uid":"u"},"spec":{"source":"s","target":"t","sourceResource":{"topic":")",
                   topic, R"(","node_name":")", node, R"("}}})"));
}

// [rt-1.4]
TEST(BoxRulesTest, ANodeHasItsOwn) {
  BoxRules rules;
  EXPECT_THAT(rules.Upsert(Rule("a", "e1", "t")), ElementsAre("e1"));
  EXPECT_THAT(rules.Upsert(Rule("a", "e1", "t")), IsEmpty());
  EXPECT_THAT(rules.Upsert(Rule("b", "e1", "t")), ElementsAre("e1"));
  EXPECT_THAT(rules.KeysNeeded("e1", kRuleType), ElementsAre("ns/a", "ns/b"));
  EXPECT_THAT(rules.KeysNeeded("e1", "pods"), IsEmpty());
  EXPECT_TRUE(rules.Needs("e1", kRuleType, "ns/a"));
  EXPECT_FALSE(rules.Needs("e2", kRuleType, "ns/a"));
  EXPECT_FALSE(rules.Lookup("e2", kRuleType, "ns/a").has_value());
  EXPECT_EQ(rules.Lookup("e1", kRuleType, "ns/a")->object.key(), "ns/a");

  EXPECT_THAT(rules.Upsert(Rule("a", "e1", "t2")), ElementsAre("e1"));
  EXPECT_THAT(rules.Upsert(Rule("a", "e2", "t2")), ElementsAre("e1", "e2"));
  EXPECT_THAT(rules.KeysNeeded("e1", kRuleType), ElementsAre("ns/b"));
  EXPECT_THAT(rules.Upsert(Rule("a", "NO NODE", "t2")), ElementsAre("e2"));
  EXPECT_THAT(rules.Remove("ns/a"), IsEmpty());
  EXPECT_THAT(rules.Remove("ns/b"), ElementsAre("e1"));
  EXPECT_THAT(rules.KeysNeeded("e1", kRuleType), IsEmpty());
}

}  // namespace
}  // namespace skerry::router
