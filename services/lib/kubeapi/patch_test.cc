#include "services/lib/kubeapi/patch.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/built_in.h"

namespace skerry::kubeapi {
namespace {

const ResourceRegistry& Kinds() {
  static const auto* const registry = new auto(MakeBuiltInRegistry().value());
  return **registry;
}

const Schema& PodSchema() { return *Kinds().Find("", "v1", "pods")->schema; }

struct Case {
  const char* what;
  const char* object;
  const char* patch;
  const char* want;  // Null: refused.
};

TEST(StrategicMergePatchTest, MergesAsKubernetesDoes) {
  const Case cases[] = {
      {"containers merge by name",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})",
       R"({"spec":{"containers":[{"name":"b","image":"3"}]}})",
       R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]}})"},
      {"a new item comes last", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})"},
      {"an item is deleted", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"name":"a","$patch":"delete"}]}})",
       R"({"spec":{"containers":[{"name":"b"}]}})"},
      {"a list is replaced", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]}})",
       R"({"spec":{"containers":[{"$patch":"replace"},{"name":"c"}]}})",
       R"({"spec":{"containers":[{"name":"c"}]}})"},
      {"env merges by name within",
       R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"9"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"9"},{"name":"Y","value":"2"}]}]}})"},
      {"the order that is asked for",
       R"({"spec":{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}})",
       R"({"spec":{"$setElementOrder/containers":[{"name":"c"},{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]}})"},
      {"ports merge by containerPort",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"web"}]}]}})",
       R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":80,"protocol":"TCP","name":"web"}]}]}})"},
      {"tolerations are replaced", R"({"spec":{"tolerations":[{"key":"a"},{"key":"b"}]}})",
       R"({"spec":{"tolerations":[{"key":"c"}]}})", R"({"spec":{"tolerations":[{"key":"c"}]}})"},
      {"conditions merge by type",
       R"({"status":{"conditions":[{"type":"Ready","status":"False"},{"type":"X","status":"1"}]}})",
       R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})",
       R"({"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"X","status":"1"}]}})"},
      {"a volume keeps one source",
       R"({"spec":{"volumes":[{"name":"v","configMap":{"name":"c"}}]}})",
       R"({"spec":{"volumes":[{"name":"v","$retainKeys":["name","emptyDir"],"emptyDir":{}}]}})",
       R"({"spec":{"volumes":[{"name":"v","emptyDir":{}}]}})"},
      {"null deletes", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
       R"({"metadata":{"labels":{"a":null}}})", R"({"metadata":{"labels":{"b":"2"}}})"},
      {"a map is replaced", R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
       R"({"metadata":{"labels":{"$patch":"replace","c":"3"}}})",
       R"({"metadata":{"labels":{"c":"3"}}})"},
      {"finalizers merge as a set", R"({"metadata":{"finalizers":["a/b"]}})",
       R"({"metadata":{"finalizers":["c/d","a/b"]}})",
       R"({"metadata":{"finalizers":["a/b","c/d"]}})"},
      {"finalizers are taken off", R"({"metadata":{"finalizers":["a/b","c/d"]}})",
       R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a/b"]}})",
       R"({"metadata":{"finalizers":["c/d"]}})"},
      {"no directives in new members", R"({})",
       R"({"spec":{"containers":[{"name":"a","x":null},{"name":"b","$patch":"delete"}],"$setElementOrder/containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"name":"a"}]}})"},
      {"an item without its key", R"({"spec":{"containers":[{"name":"a"}]}})",
       R"({"spec":{"containers":[{"image":"x"}]}})", nullptr},
      {"an unknown directive", R"({"spec":{}})", R"({"spec":{"$patch":"explode"}})", nullptr},
      {"no object", R"({})", R"([])", nullptr},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<Json> got =
        ApplyStrategicMergePatch(PodSchema(), Json::parse(c.object), Json::parse(c.patch));
    if (c.want == nullptr) {
      EXPECT_EQ(HttpCode(got.status()), 400) << c.what;
      continue;
    }
    ASSERT_TRUE(got.ok()) << c.what << ": " << got.status();
    EXPECT_EQ(*got, Json::parse(c.want)) << c.what;
  }
}

TEST(JsonPatchTest, AppliesOrSaysWhyNot) {
  const Json object = Json::parse(R"({"a":{"b":[1,2]},"c":"d"})");
  const auto code = [&](const char* patch) {
    const absl::StatusOr<Json> got = ApplyJsonPatch(object, Json::parse(patch));
    return got.ok() ? 200 : HttpCode(got.status());
  };
  EXPECT_EQ(
      *ApplyJsonPatch(
          object,
          Json::parse(R"([{"op":"add","path":"/a/b/-","value":3},{"op":"remove","path":"/c"}])")),
      Json::parse(R"({"a":{"b":[1,2,3]}})"));
  EXPECT_EQ(code(R"([{"op":"test","path":"/c","value":"d"}])"), 200);
  EXPECT_EQ(code(R"([{"op":"test","path":"/c","value":"x"}])"), 422);
  EXPECT_EQ(code(R"([{"op":"remove","path":"/nope"}])"), 422);
  EXPECT_EQ(code(R"([{"op":"dance","path":"/c"}])"), 400);
  EXPECT_EQ(code(R"([{"op":"add","path":"c","value":1}])"), 400);
  EXPECT_EQ(code(R"([1])"), 400);
  EXPECT_EQ(code(R"({})"), 400);
  EXPECT_EQ(code(R"([{"op":"replace","path":"","value":1}])"), 400);
}

TEST(JsonPatchTest, BoundsWhatCopiesCopy) {
  // Each step doubles the object: unbounded, 40 of them would fill any memory.
  Json patch = Json::array();
  for (int i = 0; i < 40; ++i) {
    patch.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/b" + std::to_string(i)}});
    patch.push_back({{"op", "copy"}, {"from", ""}, {"path", "/a"}});
  }
  EXPECT_EQ(HttpCode(ApplyJsonPatch({{"a", std::string(1000, 'x')}}, patch).status()), 400);
}

TEST(MergePatchTest, FollowsRfc7386) {
  const Json object = Json::parse(R"({"a":"b","c":{"d":"e","f":"g"}})");
  EXPECT_EQ(*ApplyMergePatch(object, Json::parse(R"({"a":"z","c":{"f":null},"l":[1]})")),
            Json::parse(R"({"a":"z","c":{"d":"e"},"l":[1]})"));
  EXPECT_EQ(HttpCode(ApplyMergePatch(object, Json::parse("[]")).status()), 400);
}

}  // namespace
}  // namespace skerry::kubeapi
