#include "services/edge-meta-svc/core/object_check.h"

#include <gtest/gtest.h>

#include <string>

#include "services/lib/base/error.h"

namespace skerry::edgemeta {
namespace {

std::string Check(absl::string_view type, absl::string_view key, absl::string_view object,
                  size_t max = 1000) {
  absl::Status status = CheckObject(type, key, object, max);
  return status.ok() ? "ok" : GetErrorInfo(status).reason;
}

TEST(CheckObjectTest, TakesObjectsThatNameThemselves) {
  EXPECT_EQ(Check("pods", "default/web",
                  R"({"kind":"Pod","metadata":{"name":"web","namespace":"default"}})"),
            "ok");
  EXPECT_EQ(Check("nodes", "edge-1", R"({"kind":"Node","metadata":{"name":"edge-1"}})"), "ok");
}

TEST(CheckObjectTest, TakesItemsOfListsWhichHaveNoKind) {
  EXPECT_EQ(Check("pods", "default/web", R"({"metadata":{"name":"web","namespace":"default"}})"),
            "ok");
}

TEST(CheckObjectTest, LeavesKindsOfForeignTypesAlone) {
  EXPECT_EQ(Check("devices.devices.kubeedge.io", "default/d",
                  R"({"kind":"Device","metadata":{"name":"d","namespace":"default"}})"),
            "ok");
}

TEST(CheckObjectTest, RefusesWhatIsNotAJsonObject) {
  for (absl::string_view object :
       {"", "{", "[]", "7", "\"x\"", "{\"metadata\":{\"name\":\"web\"}}}", "\xff\xfe"}) {
    EXPECT_EQ(Check("nodes", "web", object), "OBJECT_MALFORMED") << object;
  }
}

TEST(CheckObjectTest, RefusesDeepNestingWithoutFalling) {
  EXPECT_EQ(Check("nodes", "web", std::string(1 << 20, '['), 2 << 20), "OBJECT_MALFORMED");
  std::string nested = R"({"metadata":{"name":"web"},"spec":)" + std::string(200000, '[') +
                       std::string(200000, ']') + "}";
  EXPECT_EQ(Check("nodes", "web", nested, 2 << 20), "ok");
}

TEST(CheckObjectTest, RefusesAnotherKind) {
  EXPECT_EQ(Check("pods", "default/web",
                  R"({"kind":"Secret","metadata":{"name":"web","namespace":"default"}})"),
            "OBJECT_MALFORMED");
}

TEST(CheckObjectTest, RefusesAnotherNameOrNamespace) {
  for (absl::string_view object :
       {R"({"metadata":{"name":"other","namespace":"default"}})",
        R"({"metadata":{"name":"web","namespace":"kube"}})", R"({"metadata":{"name":"web"}})",
        R"({"metadata":{"name":7,"namespace":"default"}})", R"({"metadata":[]})",
        R"({"kind":7,"metadata":{"name":"web","namespace":"default"}})", R"({})"}) {
    EXPECT_EQ(Check("pods", "default/web", object), "OBJECT_MALFORMED") << object;
  }
}

TEST(CheckObjectTest, RefusesWhatIsTooBig) {
  EXPECT_EQ(Check("nodes", "web", R"({"metadata":{"name":"web"}})", 10), "OBJECT_TOO_BIG");
}

TEST(CheckObjectTest, RefusesBadKeys) {
  EXPECT_NE(Check("pods", "a/b/c", R"({"metadata":{"name":"c","namespace":"a/b"}})"), "ok");
  EXPECT_NE(Check("pods", "", R"({"metadata":{}})"), "ok");
}

}  // namespace
}  // namespace skerry::edgemeta
