#include "services/lib/kubeapi/selectors.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::kubeapi {
namespace {

TEST(LabelSelectorTest, Matches) {
  const Json labels = {{"app", "web"}, {"tier", "front"}, {"rank", "5"}, {"example.com/x", ""}};
  const std::pair<const char*, bool> cases[] = {
      {"", true},
      {"app=web", true},
      {"app==web", true},
      {"app=db", false},
      {"app!=db", true},
      {"nope!=db", true},
      {"app", true},
      {"!app", false},
      {"!nope", true},
      {"app in (db,web)", true},
      {"app in (db)", false},
      {"app notin (db, web)", false},
      {"nope notin (x)", true},
      {"app=web,tier=front", true},
      {"app=web , tier = back", false},
      {"rank>4", true},
      {"rank<5", false},
      {"example.com/x=", true},
      {"example.com/x", true},
  };
  for (const auto& [text, want] : cases) {
    const absl::StatusOr<LabelSelector> selector = LabelSelector::Parse(text);
    ASSERT_TRUE(selector.ok()) << text;
    EXPECT_EQ(selector->Matches(labels), want) << text;
  }
  EXPECT_FALSE(LabelSelector::Parse("a=b")->Matches(nullptr));
}

TEST(LabelSelectorTest, RefusesWhatIsNone) {
  for (const char* text :
       {"=a", "a=b,,c", "a in b", "a in (b", "a>x", "a b", "a=b=c", "(a)", "a=%"}) {
    EXPECT_FALSE(LabelSelector::Parse(text).ok()) << text;
  }
}

TEST(FieldSelectorTest, Matches) {
  const Json pod = Json::parse(
      R"({"metadata":{"name":"a"},"spec":{"nodeName":"n","hostNetwork":true},"status":{"phase":"Running"}})");
  const std::vector<std::string> fields = {"metadata.name",    "spec.nodeName",
                                           "status.phase",     "status.podIP",
                                           "spec.hostNetwork", "spec.unschedulable"};
  const std::pair<const char*, bool> cases[] = {
      {"", true},
      {"metadata.name=a", true},
      {"metadata.name==b", false},
      {"spec.nodeName!=n", false},
      {"spec.nodeName=n,status.phase!=Failed", true},
      {"status.podIP=", true},
      {"spec.hostNetwork=true", true},
      {"spec.unschedulable=false", true},
  };
  for (const auto& [text, want] : cases) {
    const absl::StatusOr<FieldSelector> selector = FieldSelector::Parse(text, fields);
    ASSERT_TRUE(selector.ok()) << text;
    EXPECT_EQ(selector->Matches(pod), want) << text;
  }
  EXPECT_EQ(FieldSelector::Parse("metadata.name=a", fields)->Exact("metadata.name"), "a");
  EXPECT_EQ(FieldSelector::Parse("metadata.name!=a", fields)->Exact("metadata.name"), std::nullopt);
  EXPECT_FALSE(FieldSelector::Parse("spec.foo=a", fields).ok());
  EXPECT_FALSE(FieldSelector::Parse("metadata.name", fields).ok());
}

}  // namespace
}  // namespace skerry::kubeapi
