#include "services/lib/model/names.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry {
namespace {

using ::skerry::testing::HasReason;
using ::skerry::testing::StatusIs;

TEST(NodeNameTest, TakesDnsSubdomains) {
  for (const std::string& good :
       {std::string("edge-1"), std::string("a.b-c.d"), std::string("1"), std::string(253, 'a')}) {
    auto name = NodeName::Parse(good);
    ASSERT_TRUE(name.ok()) << good;
    EXPECT_EQ(name->value(), good);
  }
  for (const std::string& bad :
       {std::string(), std::string("Edge"), std::string("-a"), std::string("a-"),
        std::string("a..b"), std::string(".a"), std::string("a."), std::string("a_b"),
        std::string("a/b"), std::string("a b"), std::string("a\0b", 3), std::string(254, 'a')}) {
    EXPECT_THAT(NodeName::Parse(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
    EXPECT_THAT(NodeName::Parse(bad), HasReason("INVALID_FIELD"));
  }
}

TEST(ResourceTypeTest, TakesResourceAndGroup) {
  for (const char* good : {"pods", "leases.coordination.k8s.io", "devices.devices.kubeedge.io"}) {
    EXPECT_TRUE(ResourceType::Parse(good).ok()) << good;
  }
  for (const char* bad : {"", "Pods", "pods/status", "pods.", ".apps", "pods..apps", "../pods"}) {
    EXPECT_THAT(ResourceType::Parse(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(ObjectKeyTest, SplitsNamespaceAndName) {
  auto key = ObjectKey::Parse("default/web-0");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->object_namespace(), "default");
  EXPECT_EQ(key->name(), "web-0");
  auto node = ObjectKey::Make("", "edge-1");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->value(), "edge-1");
  EXPECT_EQ(node->object_namespace(), "");
  EXPECT_EQ(node->name(), "edge-1");
  EXPECT_TRUE(ObjectKey::Parse("system:node-reader").ok());  // A role's name is not a DNS name.
}

TEST(ObjectKeyTest, RefusesWhatIsNoPathSegment) {
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("/web"), std::string("default/"),
        std::string("a/b/c"), std::string("Default/web"), std::string("."), std::string(".."),
        std::string("default/.."), std::string("default/a%2fb"), std::string("default/a b"),
        std::string("default/a\n"), std::string("default/\xc3\xa4"), std::string(64, 'n') + "/web",
        "default/" + std::string(254, 'a')}) {
    EXPECT_THAT(ObjectKey::Parse(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

TEST(NamesTest, OrderAndPrint) {
  EXPECT_LT(*NodeName::Parse("a"), *NodeName::Parse("b"));
  std::ostringstream out;
  out << *NodeName::Parse("a") << " " << *ResourceType::Parse("pods") << " "
      << *ObjectKey::Parse("d/w");
  EXPECT_EQ(out.str(), "a pods d/w");
}

TEST(DnsTest, LabelsAndSubdomains) {
  EXPECT_TRUE(IsDns1123Label(std::string(63, 'a')));
  EXPECT_FALSE(IsDns1123Label(std::string(64, 'a')));
  EXPECT_FALSE(IsDns1123Label("a.b"));
  EXPECT_TRUE(IsDns1123Subdomain("a.b"));
}

TEST(DeviceNameTest, IsNamespaceAndName) {
  auto name = DeviceName::Parse("default/temp-1.hall");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->value(), "default/temp-1.hall");
  EXPECT_EQ(name->device_namespace(), "default");
  EXPECT_EQ(name->name(), "temp-1.hall");
  EXPECT_EQ(name, DeviceName::Make("default", "temp-1.hall"));
  EXPECT_TRUE(DeviceName::Make(std::string(63, 'n'), std::string(253, 'd')).ok());
  for (const std::string& bad :
       {std::string(), std::string("temp-1"), std::string("/temp-1"), std::string("default/"),
        std::string("default/a/b"), std::string("de.fault/a"), std::string("default/A"),
        std::string("default/a_b"), std::string("default/+"), std::string("default/a\0", 10),
        std::string(64, 'n') + "/a", "a/" + std::string(254, 'd')}) {
    EXPECT_THAT(DeviceName::Parse(bad), HasReason("INVALID_FIELD")) << bad;
  }
}

}  // namespace
}  // namespace skerry
