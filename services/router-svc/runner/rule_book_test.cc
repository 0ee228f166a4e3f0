#include "services/router-svc/runner/rule_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/metrics/registry.h"

namespace skerry::router {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

KubeObject Object(const std::string& name, const std::string& spec,
                  const std::string& status = "{}") {
  return *KubeObject::Parse(absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                                         R"(","uid":"u"},"spec":)", spec, R"(,"status":)", status,
                                         "}"));
}

class RuleBookTest : public ::testing::Test {
 protected:
  RuleBookTest() {
    book_.UpsertEndpoint(Object("rest", R"({"ruleEndpointType":"rest"})"));
    book_.UpsertRule(Object("r", kRule));
  }
  static constexpr char kRule[] =
      R"({"source":"rest","sourceResource":{"path":"/a"},"target":"bus","targetResource":{"topic":"t"}})";
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RuleBook book_{std::nullopt, metrics_};
};

// [rt-1.2]
TEST_F(RuleBookTest, ARuleWorksWhenItsEndpointsAreThere) {
  EXPECT_EQ(book_.Table()->Find("ns/r"), nullptr);
  EXPECT_TRUE(book_.Exists("ns/r"));
  auto changes = book_.TakeStatus();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_THAT(changes[0].status.error, HasSubstr("RuleEndpoint \"bus\""));
  book_.UpsertEndpoint(Object("bus", R"({"ruleEndpointType":"eventbus"})"));
  ASSERT_NE(book_.Table()->Find("ns/r"), nullptr);
  changes = book_.TakeStatus();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].status.error, "");
  EXPECT_EQ(metrics_.rules_valid.Value(), 1);
  book_.UpsertEndpoint(Object("bus", R"({"ruleEndpointType":"nonsense"})"));
  EXPECT_EQ(book_.Table()->Find("ns/r"), nullptr);
  EXPECT_EQ(metrics_.rules_invalid.Value(), 1);
}

// [rt-3.6]
TEST_F(RuleBookTest, PostsOnlyWhereItMay) {
  RuleBook narrow(*HttpAllowList::Parse("delivery.targets", {"http://shop/in"}), metrics_);
  narrow.UpsertEndpoint(Object("rest", R"({"ruleEndpointType":"rest"})"));
  narrow.UpsertEndpoint(Object("bus", R"({"ruleEndpointType":"eventbus"})"));
  for (const char* name : {"in", "admin"}) {
    narrow.UpsertRule(Object(
        name,
        absl::StrCat(
            R"({"source":"bus","sourceResource":{"topic":"t","node_name":"n"},"target":"rest",)",
            R"("targetResource":{"resource":"http://shop/)", name, R"("}})")));
  }
  EXPECT_NE(narrow.Table()->Find("ns/in"), nullptr);
  EXPECT_EQ(narrow.Table()->Find("ns/admin"), nullptr);
  EXPECT_THAT(narrow.TakeStatus()[0].status.error, HasSubstr("delivery.targets"));
}

// [rt-1.3] KubeEdge ignores what changes in a rule.
TEST_F(RuleBookTest, FollowsChanges) {
  book_.UpsertEndpoint(Object("bus", R"({"ruleEndpointType":"eventbus"})"));
  const auto before = book_.Table();
  book_.UpsertRule(Object(
      "r",
      R"({"source":"rest","sourceResource":{"path":"/a"},"target":"bus","targetResource":{"topic":"t2"}})"));
  EXPECT_EQ(before->Find("ns/r")->topic, "t");
  EXPECT_EQ(book_.Table()->Find("ns/r")->topic, "t2");
  book_.UpsertRule(Object("r", "7"));
  EXPECT_EQ(book_.Table()->Find("ns/r"), nullptr);
  EXPECT_TRUE(book_.Exists("ns/r"));
  book_.DeleteRule("ns/r");
  EXPECT_FALSE(book_.Exists("ns/r"));
  book_.DeleteEndpoint("ns/bus");
  book_.Succeeded("ns/r", 1);
  book_.Failed("ns/r", "x");
  EXPECT_THAT(book_.TakeStatus(), IsEmpty());
}

}  // namespace
}  // namespace skerry::router
