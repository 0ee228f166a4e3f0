#include "services/edged-svc/core/volume_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/edged-svc/core/pod_parser.h"
#include "services/edged-svc/testing/fake_objects.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr NodeResources kNode{4000, int64_t{8} << 30, int64_t{1} << 40};

absl::StatusOr<VolumeFiles> Plan(const std::string& volume, const FakeObjects& objects) {
  const absl::StatusOr<PodSpec> pod = ParsePod(
      R"({"metadata":{"namespace":"ns","name":"p","uid":"u1","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i:1"}],"volumes":[)" +
      volume + "]}}");
  if (!pod.ok()) return pod.status();
  return PlanFiles(*pod, pod->volumes[0], {"10.0.0.1", {}}, objects, kNode);
}

FakeObjects SomeObjects() {
  FakeObjects objects;
  objects.config_maps["ns/cm"] = {.text = {{"a", "1"}, {"b", "2"}},
                                  .binary = {{"bin", std::string("\0\1", 2)}}};
  objects.secrets["ns/s"] = {.text = {{"pw", "x"}}};
  return objects;
}

TEST(VolumePlanTest, EveryKeyOfAConfigMap) {
  EXPECT_THAT(*Plan(R"({"name":"v","configMap":{"name":"cm"}})", SomeObjects()),
              ElementsAre(Pair("a", FilePayload{"1", 0644}), Pair("b", FilePayload{"2", 0644}),
                          Pair("bin", FilePayload{std::string("\0\1", 2), 0644})));
}

TEST(VolumePlanTest, ItemsAndModes) {
  EXPECT_THAT(
      *Plan(
          R"({"name":"v","secret":{"secretName":"s","defaultMode":256,"items":[{"key":"pw","path":"d/e"},{"key":"pw","path":"f","mode":384}]}})",
          SomeObjects()),
      ElementsAre(Pair("d/e", FilePayload{"x", 0400}), Pair("f", FilePayload{"x", 0600})));
}

TEST(VolumePlanTest, MissingIsAnErrorUnlessOptional) {
  EXPECT_THAT(
      std::string(
          Plan(R"({"name":"v","configMap":{"name":"no"}})", SomeObjects()).status().message()),
      HasSubstr("configmap \"no\" not found"));
  EXPECT_THAT(
      std::string(
          Plan(R"({"name":"v","configMap":{"name":"cm","items":[{"key":"no","path":"x"}]}})",
               SomeObjects())
              .status()
              .message()),
      HasSubstr("references non-existent config key: no"));
  EXPECT_THAT(*Plan(R"({"name":"v","configMap":{"name":"no","optional":true}})", SomeObjects()),
              ElementsAre());
}

TEST(VolumePlanTest, ProjectsAllSources) {
  EXPECT_THAT(
      *Plan(R"({"name":"v","projected":{"defaultMode":292,"sources":[
      {"configMap":{"name":"cm","items":[{"key":"a","path":"a"}]}},{"secret":{"name":"s"}},
      {"downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}})",
            SomeObjects()),
      ElementsAre(Pair("a", FilePayload{"1", 0444}), Pair("labels", FilePayload{"a=\"b\"", 0444}),
                  Pair("pw", FilePayload{"x", 0444})));
}

constexpr char kApiAccess[] =
    R"({"name":"%s","projected":{"sources":[{"serviceAccountToken":{"path":"token"}},
    {"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},
    {"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]}})";

TEST(VolumePlanTest, AutomaticApiAccessComesWithoutItsToken) {
  std::string volume(kApiAccess);
  volume.replace(volume.find("%s"), 2, "kube-api-access-x7k2p");
  EXPECT_THAT(*Plan(volume, SomeObjects()),
              ElementsAre(Pair("namespace", FilePayload{"ns", 0644})));
}

TEST(VolumePlanTest, TokenAskedForIsRefused) {
  std::string volume(kApiAccess);
  volume.replace(volume.find("%s"), 2, "mine");
  EXPECT_THAT(std::string(Plan(volume, SomeObjects()).status().message()),
              HasSubstr("no source of service account tokens"));
}

TEST(VolumePlanTest, HostileKeysAreRefused) {
  for (const char* key : {"..", "../x", "a/b", "..data", ""}) {
    FakeObjects objects;
    objects.config_maps["ns/cm"] = {.text = {{key, "1"}}};
    EXPECT_FALSE(Plan(R"({"name":"v","configMap":{"name":"cm"}})", objects).ok()) << key;
  }
}

TEST(VolumePlanTest, SizeIsBounded) {
  FakeObjects objects;
  objects.config_maps["ns/cm"] = {.text = {{"k", std::string(9 << 20, 'x')}}};
  EXPECT_FALSE(Plan(R"({"name":"v","configMap":{"name":"cm"}})", objects).ok());
}

}  // namespace
}  // namespace skerry::edged
