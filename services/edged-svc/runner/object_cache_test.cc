#include "services/edged-svc/runner/object_cache.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

TEST(ObjectCacheTest, DecodesBothKinds) {
  ObjectCache cache;
  ASSERT_TRUE(cache.PutConfigMap("ns/c", R"({"data":{"k":"v"},"binaryData":{"b":"AAE="}})").ok());
  ASSERT_TRUE(cache.PutSecret("ns/s", R"({"type":"Opaque","data":{"pw":"aHVudGVyMg=="}})").ok());
  EXPECT_EQ(cache.ConfigMap("ns", "c")->text.at("k"), "v");
  EXPECT_EQ(cache.ConfigMap("ns", "c")->binary.at("b"), std::string("\0\1", 2));
  EXPECT_EQ(cache.Secret("ns", "s")->text.at("pw"), "hunter2");
  EXPECT_EQ(cache.Secret("ns", "c"), nullptr);
  cache.DeleteConfigMap("ns/c");
  cache.DeleteSecret("ns/s");
  EXPECT_EQ(cache.ConfigMap("ns", "c"), nullptr);
  EXPECT_EQ(cache.Secret("ns", "s"), nullptr);
}

TEST(ObjectCacheTest, BadObjectLeavesTheOneBefore) {
  ObjectCache cache;
  ASSERT_TRUE(cache.PutSecret("ns/s", R"({"data":{"pw":"eA=="}})").ok());
  for (const char* json :
       {"", "[]", R"({"data":5})", R"({"data":{"pw":7}})", R"({"data":{"pw":"%%%"}})"}) {
    const absl::Status status = cache.PutSecret("ns/s", json);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_EQ(std::string(status.message()).find("%%%"),
              std::string::npos);  // Values are not told.
  }
  EXPECT_EQ(cache.Secret("ns", "s")->text.at("pw"), "x");
}

}  // namespace
}  // namespace skerry::edged
