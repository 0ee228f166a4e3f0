#include "services/lib/model/kube_object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace skerry {
namespace {

TEST(KubeObjectTest, ReadsMetadata) {
  auto object = KubeObject::Parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a",
      "namespace":"n","uid":"u","resourceVersion":"7","deletionTimestamp":"2026-01-01T00:00:00Z"}})");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->key(), "n/a");
  EXPECT_EQ(object->api_version(), "v1");
  EXPECT_EQ(object->kind(), "Pod");
  EXPECT_EQ(object->uid(), "u");
  EXPECT_EQ(object->resource_version(), "7");
  EXPECT_TRUE(object->deleting());
}

TEST(KubeObjectTest, ClusterScopedKeyIsTheName) {
  auto object = KubeObject::Parse(R"({"metadata":{"name":"node-1"}})");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->key(), "node-1");
  EXPECT_FALSE(object->deleting());
}

TEST(KubeObjectTest, DropsManagedFieldsOnly) {
  auto object = KubeObject::Parse(
      R"({"metadata":{"name":"a","managedFields":[{"manager":"x"}],"labels":{"l":"v"}},"data":{"k":"v"}})");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(
      object->Json(),
      nlohmann::json::parse(R"({"metadata":{"name":"a","labels":{"l":"v"}},"data":{"k":"v"}})"));
}

TEST(KubeObjectTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "{", "{}", R"({"metadata":{}})", R"({"metadata":[]})",
                           R"({"metadata":{"name":7}})", "null"}) {
    EXPECT_EQ(KubeObject::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(KubeObject::Parse(std::string(100000, '[')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry
