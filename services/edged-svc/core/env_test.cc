#include "services/edged-svc/core/env.h"

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

// The environment of the pod's first container.
absl::StatusOr<Environment> Build(const std::string& container_fields, const FakeObjects& objects) {
  const absl::StatusOr<PodSpec> pod = ParsePod(
      R"({"metadata":{"namespace":"ns","name":"p","uid":"u1","labels":{"app":"x","tier":"b\"q"}},"spec":{"nodeName":"n1",
          "serviceAccountName":"sa","containers":[{"name":"c","image":"i:1",)" +
      container_fields + "}]}}");
  if (!pod.ok()) return pod.status();
  return BuildEnvironment(*pod, pod->containers[0], {"10.0.0.1", {"10.1.1.1", "fd00::1"}}, objects,
                          kNode);
}

TEST(EnvTest, LaterReplacesEarlierAndReadsIt) {
  FakeObjects objects;
  EXPECT_THAT(*Build(R"j("env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)-$(NONE)-$$(A)"},
                               {"name":"A","value":"2$(A)"}])j",
                     objects),
              ElementsAre(Pair("A", "21"), Pair("B", "1-$(NONE)-$(A)")));
}

TEST(EnvTest, FromObjects) {
  FakeObjects objects;
  objects.config_maps["ns/cm"] = {.text = {{"k", "v"}, {"z", "9"}}};
  objects.secrets["ns/s"] = {.text = {{"pw", "hunter2"}}};
  EXPECT_THAT(
      *Build(R"("envFrom":[{"prefix":"P_","configMapRef":{"name":"cm"}},{"secretRef":{"name":"s"}}],
                        "env":[{"name":"K","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}},
                               {"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"pw"}}}])",
             objects),
      ElementsAre(Pair("P_k", "v"), Pair("P_z", "9"), Pair("pw", "hunter2"), Pair("K", "v"),
                  Pair("S", "hunter2")));
}

TEST(EnvTest, MissingObjectsAreNamedInTheKubeletsWords) {
  FakeObjects objects;
  objects.config_maps["ns/cm"] = {};
  const struct {
    const char* fields;
    const char* message;
  } kCases[] = {
      {R"("env":[{"name":"K","valueFrom":{"configMapKeyRef":{"name":"no","key":"k"}}}])",
       "configmap \"no\" not found"},
      {R"("env":[{"name":"K","valueFrom":{"secretKeyRef":{"name":"no","key":"k"}}}])",
       "secret \"no\" not found"},
      {R"("env":[{"name":"K","valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}])",
       "couldn't find key k in ConfigMap ns/cm"},
      {R"("envFrom":[{"configMapRef":{"name":"no"}}])", "configmap \"no\" not found"},
      {R"("env":[{"name":"K","valueFrom":{"fieldRef":{"fieldPath":"spec.secret"}}}])",
       "unsupported fieldPath: spec.secret"},
      {R"("env":[{"name":"K","valueFrom":{"resourceFieldRef":{"resource":"wishes"}}}])",
       "unsupported container resource: wishes"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<Environment> got = Build(c.fields, objects);
    EXPECT_EQ(got.status().code(), absl::StatusCode::kFailedPrecondition) << c.fields;
    EXPECT_THAT(std::string(got.status().message()), HasSubstr(c.message));
  }
}

TEST(EnvTest, OptionalOnesAreLeftOut) {
  FakeObjects objects;
  EXPECT_THAT(*Build(R"("envFrom":[{"secretRef":{"name":"no","optional":true}}],
                        "env":[{"name":"K","valueFrom":{"configMapKeyRef":{"name":"no","key":"k","optional":true}}},{"name":"L","value":"l"}])",
                     objects),
              ElementsAre(Pair("L", "l")));
}

TEST(EnvTest, FieldsAndResources) {
  FakeObjects objects;
  const auto field = [&](const std::string& path) {
    return Build(R"("env":[{"name":"F","valueFrom":{"fieldRef":{"fieldPath":")" + path + R"("}}}])",
                 objects)
        ->front()
        .second;
  };
  EXPECT_EQ(field("metadata.name"), "p");
  EXPECT_EQ(field("metadata.namespace"), "ns");
  EXPECT_EQ(field("metadata.uid"), "u1");
  EXPECT_EQ(field("metadata.labels['app']"), "x");
  EXPECT_EQ(field("metadata.annotations['none']"), "");
  EXPECT_EQ(field("metadata.labels"), "app=\"x\"\ntier=\"b\\\"q\"");
  EXPECT_EQ(field("spec.nodeName"), "n1");
  EXPECT_EQ(field("spec.serviceAccountName"), "sa");
  EXPECT_EQ(field("status.podIP"), "10.1.1.1");
  EXPECT_EQ(field("status.podIPs"), "10.1.1.1,fd00::1");
  EXPECT_EQ(field("status.hostIP"), "10.0.0.1");

  const auto resource = [&](const std::string& name, const std::string& divisor) {
    return Build(
               R"("resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"250m"}},"env":[{"name":"R","valueFrom":{"resourceFieldRef":{"resource":")" +
                   name + R"(","divisor":")" + divisor + R"("}}}])",
               objects)
        ->front()
        .second;
  };
  EXPECT_EQ(resource("limits.memory", "1Mi"), "64");
  EXPECT_EQ(resource("requests.memory", "1"),
            "67108864");  // A request that is not given is the limit.
  EXPECT_EQ(resource("requests.cpu", "1"), "1");
  EXPECT_EQ(resource("requests.cpu", "1m"), "250");
  EXPECT_EQ(resource("limits.cpu", "1"), "4");  // The node's, where there is no limit.
}

TEST(EnvTest, ExpandsCommands) {
  const Environment environment = {{"A", "x y"}, {"B", "$(A)"}};
  EXPECT_THAT(ExpandAll({"$(A)", "a$(B)b", "$(C)", "$$(A)", "$(A", "$", "a$"}, environment),
              ElementsAre("x y", "a$(A)b", "$(C)", "$(A)", "$(A", "$", "a$"));
}

}  // namespace
}  // namespace skerry::edged
