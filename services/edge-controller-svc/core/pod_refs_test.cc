#include "services/edge-controller-svc/core/pod_refs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace skerry::edgecontroller {
namespace {

using Refs = std::set<ObjectRef>;

Refs Of(const std::string& spec) {
  return RefsOfPod(
      nlohmann::json::parse(R"({"metadata":{"namespace":"ns","name":"p"},"spec":)" + spec + "}"));
}

struct Case {
  const char* name;
  const char* spec;
  Refs refs;
};

class PodRefsTest : public ::testing::TestWithParam<Case> {};

TEST_P(PodRefsTest, NamesExactly) { EXPECT_EQ(Of(GetParam().spec), GetParam().refs); }

INSTANTIATE_TEST_SUITE_P(
    All, PodRefsTest,
    ::testing::Values(
        Case{"Nothing", R"({"containers":[{"name":"c","env":[{"name":"A","value":"b"}]}]})", {}},
        Case{"EnvValueFrom",
             R"({"containers":[{"env":[{"valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}},
                                       {"valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
                                       {"valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}]}]})",
             {{kConfigMaps, "ns/cm"}, {kSecrets, "ns/s"}}},
        Case{
            "EnvFrom",
            R"({"containers":[{"envFrom":[{"configMapRef":{"name":"cm"}},{"secretRef":{"name":"s"}}]}]})",
            {{kConfigMaps, "ns/cm"}, {kSecrets, "ns/s"}}},
        Case{"InitAndEphemeralContainers",
             R"({"initContainers":[{"envFrom":[{"secretRef":{"name":"i"}}]}],
                 "ephemeralContainers":[{"envFrom":[{"configMapRef":{"name":"e"}}]}]})",
             {{kConfigMaps, "ns/e"}, {kSecrets, "ns/i"}}},
        Case{
            "Volumes",
            R"({"volumes":[{"configMap":{"name":"cm"}},{"secret":{"secretName":"s"}},{"emptyDir":{}}]})",
            {{kConfigMaps, "ns/cm"}, {kSecrets, "ns/s"}}},
        Case{
            "ProjectedVolume",
            R"({"volumes":[{"projected":{"sources":[{"configMap":{"name":"cm"}},{"secret":{"name":"s"}},
                                                     {"serviceAccountToken":{"path":"t"}}]}}]})",
            {{kConfigMaps, "ns/cm"}, {kSecrets, "ns/s"}}},
        Case{"StorageDriverSecret",
             R"({"volumes":[{"csi":{"nodePublishSecretRef":{"name":"c"}}}]})",
             {{kSecrets, "ns/c"}}},
        Case{"PullSecretsAndAccount",
             R"({"imagePullSecrets":[{"name":"reg"}],"serviceAccountName":"sa"})",
             {{kSecrets, "ns/reg"}, {kServiceAccounts, "ns/sa"}}},
        Case{
            "MalformedPartsNameNothing",
            R"({"containers":{"a":1},"volumes":[7,null,{"configMap":[]},{"secret":{"secretName":3}}],
                 "imagePullSecrets":[{}, "x"],"serviceAccountName":{}})",
            {}}),
    [](const auto& info) { return info.param.name; });

TEST(PodRefsTest, PodWithoutSpecNamesNothing) {
  EXPECT_EQ(RefsOfPod(nlohmann::json::parse(R"({"metadata":{"namespace":"ns"}})")), Refs{});
}

TEST(ServiceAccountRefsTest, NamesItsPullSecretsOnly) {
  EXPECT_EQ(RefsOfServiceAccount(nlohmann::json::parse(
                R"({"metadata":{"namespace":"ns","name":"sa"},"imagePullSecrets":[{"name":"reg"}],
                    "secrets":[{"name":"token"}]})")),
            (Refs{{kSecrets, "ns/reg"}}));
}

}  // namespace
}  // namespace skerry::edgecontroller
