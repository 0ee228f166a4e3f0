#include "services/edged-svc/core/pod_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string PodJson(const std::string& spec, const std::string& meta = "") {
  return absl::StrCat(R"({"metadata":{"namespace":"ns","name":"p","uid":"u1")", meta,
                      R"(},"spec":{)", spec, "}}");
}
constexpr char kContainer[] = R"("containers":[{"name":"c","image":"i:1"}])";

TEST(PodParserTest, DefaultsAreTheApiServers) {
  const PodSpec pod = *ParsePod(PodJson(kContainer));
  EXPECT_EQ(pod.restart_policy, RestartPolicy::kAlways);
  EXPECT_EQ(pod.termination_grace_seconds, 30);
  EXPECT_EQ(pod.dns_policy, "ClusterFirst");
  EXPECT_EQ(pod.service_account, "default");
  EXPECT_EQ(pod.containers[0].pull_policy, "IfNotPresent");
  EXPECT_EQ(pod.containers[0].termination_message_path, "/dev/termination-log");
  EXPECT_EQ(pod.Display(), "p_ns(u1)");
  for (const char* image : {"i", "i:latest", "r.io:5000/i"})
    EXPECT_EQ(
        ParsePod(PodJson(absl::StrCat(R"("containers":[{"name":"c","image":")", image, R"("}])")))
            ->containers[0]
            .pull_policy,
        "Always")
        << image;
}

TEST(PodParserTest, ReadsWhatDecides) {
  const PodSpec pod = *ParsePod(PodJson(
      R"("restartPolicy":"OnFailure","hostNetwork":true,"terminationGracePeriodSeconds":5,"activeDeadlineSeconds":60,
         "securityContext":{"runAsUser":7,"fsGroup":9,"supplementalGroups":[3]},"hostAliases":[{"ip":"1.2.3.4","hostnames":["x"]}],
         "volumes":[{"name":"e","emptyDir":{"medium":"Memory","sizeLimit":"1Mi"}},{"name":"h","hostPath":{"path":"/etc","type":"Directory"}}],
         "initContainers":[{"name":"i","image":"a:1"}],
         "containers":[{"name":"c","image":"i:1","ports":[{"name":"web","containerPort":80,"hostPort":8080}],
           "livenessProbe":{"httpGet":{"port":"web","path":"/z"},"periodSeconds":3,"failureThreshold":2},
           "readinessProbe":{"exec":{"command":["true"]}},"lifecycle":{"preStop":{"exec":{"command":["x"]}}},
           "securityContext":{"runAsGroup":8,"capabilities":{"add":["NET_ADMIN"]},"allowPrivilegeEscalation":false},
           "volumeMounts":[{"name":"e","mountPath":"/e","subPath":"a/b","readOnly":true}]}])",
      R"(,"deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":0,"generation":4)"));
  EXPECT_EQ(pod.restart_policy, RestartPolicy::kOnFailure);
  EXPECT_EQ(pod.GraceSeconds(), 0);
  EXPECT_EQ(pod.generation, 4);
  ASSERT_TRUE(pod.deletion_time.has_value());
  EXPECT_TRUE(pod.volumes[0].memory);
  EXPECT_EQ(pod.volumes[0].size_bytes_max, 1 << 20);
  const ContainerSpec& c = pod.containers[0];
  EXPECT_EQ(c.liveness->handler.port, 80);
  EXPECT_EQ(c.liveness->failure_threshold, 2);
  EXPECT_EQ(c.liveness->success_threshold, 1);
  EXPECT_EQ(c.security.run_as_user, 7);
  EXPECT_EQ(c.security.run_as_group, 8);
  EXPECT_TRUE(c.security.no_new_privileges);
  EXPECT_THAT(c.security.add_capabilities, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(pod.supplemental_groups, ElementsAre(3));
}

// [edged-5.1] A bad object is refused with the field's name; it never ends edged.
TEST(PodParserTest, NamesTheFieldItRefuses) {
  const struct {
    std::string json;
    const char* message;
  } kCases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{\"metadata\":{\"namespace\":\"ns\",\"name\":\"p\",\"uid\":\"u1\"}}",
       "spec.containers must not be empty"},
      {PodJson("\"containers\":5"), "spec.containers must be a list"},
      {PodJson("\"containers\":[5]"), "spec.containers[0] must be an object"},
      {PodJson(R"("containers":[{"name":"../c","image":"i"}])"), "spec.containers[0].name must be"},
      {PodJson(R"("containers":[{"name":"c","image":7}])"),
       "spec.containers[0].image must be a string"},
      {PodJson(R"("containers":[{"name":"c"},{"name":"c"}])"), "have a name twice: c"},
      {PodJson(std::string(kContainer) + R"(,"volumes":[{"name":"../../x","emptyDir":{}}])"),
       "spec.volumes[0].name"},
      {PodJson(std::string(kContainer) +
               R"(,"volumes":[{"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}}])"),
       "twice: v"},
      {PodJson(std::string(kContainer) + R"(,"volumes":[{"name":"v","nfs":{"server":"x"}}])"),
       "does not support"},
      {PodJson(std::string(kContainer) +
               R"(,"volumes":[{"name":"v","hostPath":{"path":"/a/../etc"}}])"),
       "hostPath.path must be an absolute path"},
      {PodJson(
           std::string(kContainer) +
           R"(,"volumes":[{"name":"v","configMap":{"name":"c","items":[{"key":"k","path":"../x"}]}}])"),
       "items[0].path must be a relative path"},
      {PodJson(std::string(kContainer) +
               R"(,"volumes":[{"name":"v","configMap":{"name":"../c"}}])"),
       "configMap.name"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/x"}]}])"),
       "not there: v"},
      {PodJson(
           R"("volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/x","subPath":"../y"}]}])"),
       "subPath must be a relative path"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","resources":{"limits":{"memory":"lots"}}}])"),
       "resources.limits.memory"},
      {PodJson(R"("containers":[{"name":"c","image":"i","env":[{"name":"A=B"}]}])"), "env[0].name"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","livenessProbe":{"httpGet":{"port":"web"}}}])"),
       "names no port"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","livenessProbe":{"httpGet":{"port":80,"path":"/a\r\nX: y"}}}])"),
       "must not contain"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","livenessProbe":{"httpGet":{"port":80,"scheme":"FTP"}}}])"),
       "httpGet.scheme must be HTTP or HTTPS"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","livenessProbe":{"tcpSocket":{"port":80},"timeoutSeconds":-1}}])"),
       "livenessProbe.timeoutSeconds must be an integer from 0 to 2147483647"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","livenessProbe":{"tcpSocket":{"port":80},"timeoutSeconds":"1s"}}])"),
       "livenessProbe.timeoutSeconds must be an integer"},
      {PodJson(
           R"("containers":[{"name":"c","image":"i","startupProbe":{"grpc":{"service":"s"}}}])"),
       "startupProbe.grpc.port must be a port"},
      {PodJson(R"("containers":[{"name":"c","image":"i","startupProbe":{"sleep":{"seconds":1}}}])"),
       "startupProbe names no action"},
      {PodJson(
           R"("initContainers":[{"name":"s","image":"i","restartPolicy":"Always"}],"containers":[{"name":"c","image":"i"}])"),
       "sidecar"},
      {PodJson(std::string(kContainer) + R"(,"restartPolicy":"Sometimes")"),
       "spec.restartPolicy must be"},
      {PodJson(std::string(kContainer) + R"(,"terminationGracePeriodSeconds":-1)"),
       "terminationGracePeriodSeconds"},
      {PodJson(std::string(kContainer) + R"(,"terminationGracePeriodSeconds":1e300)"),
       "terminationGracePeriodSeconds"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<PodSpec> pod = ParsePod(c.json);
    EXPECT_EQ(pod.status().code(), absl::StatusCode::kInvalidArgument) << c.json;
    EXPECT_THAT(std::string(pod.status().message()), HasSubstr(c.message)) << c.json;
  }
}

TEST(PodParserTest, ReadsEveryKindOfProbe) {
  const PodSpec pod = *ParsePod(PodJson(
      R"("containers":[{"name":"c","image":"i","ports":[{"name":"web","containerPort":80}],
           "startupProbe":{"grpc":{"port":9090,"service":"s"},"timeoutSeconds":0},
           "livenessProbe":{"httpGet":{"port":"web","scheme":"HTTPS","host":"h","httpHeaders":[{"name":"X","value":"y"}]},
                            "timeoutSeconds":2147483647},
           "readinessProbe":{"tcpSocket":{"port":81},"timeoutSeconds":7}}])"));
  const ContainerSpec& c = pod.containers[0];
  EXPECT_EQ(c.startup->handler.kind, Handler::Kind::kGrpc);
  EXPECT_EQ(c.startup->handler.port, 9090);
  EXPECT_EQ(c.startup->handler.grpc_service, "s");
  EXPECT_EQ(c.startup->timeout, absl::Seconds(1));
  EXPECT_EQ(c.liveness->handler.kind, Handler::Kind::kHttp);
  EXPECT_EQ(c.liveness->handler.scheme, "HTTPS");
  EXPECT_EQ(c.liveness->handler.host, "h");
  EXPECT_EQ(c.liveness->handler.headers.size(), 1u);
  EXPECT_EQ(c.liveness->timeout, absl::Hours(1));  // Nothing hangs for longer.
  EXPECT_EQ(c.readiness->handler.kind, Handler::Kind::kTcp);
  EXPECT_EQ(c.readiness->timeout, absl::Seconds(7));
}

TEST(PodParserTest, IdentitySurvivesARefusedSpec) {
  const std::string json =
      PodJson("\"containers\":5", R"(,"deletionTimestamp":"2026-01-02T03:04:05Z")");
  EXPECT_FALSE(ParsePod(json).ok());
  const PodSpec identity = ParsePodIdentity(json);
  EXPECT_EQ(identity.key(), "ns/p");
  EXPECT_TRUE(identity.deletion_time.has_value());
  EXPECT_EQ(ParsePodIdentity(R"({"metadata":{"namespace":"ns","name":"p","uid":"../../etc"}})").uid,
            "");
  EXPECT_EQ(ParsePodIdentity("{").uid, "");
}

TEST(PodParserTest, EndsOnEveryTruncationAndMutation) {
  const std::string good = PodJson(
      R"("volumes":[{"name":"v","projected":{"sources":[{"configMap":{"name":"c"}}]}}],"containers":[{"name":"c","image":"i","env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"x"}}}]}])");
  ASSERT_TRUE(ParsePod(good).ok());
  for (size_t i = 0; i < good.size(); ++i) {
    (void)ParsePod(good.substr(0, i));
    for (const char c : {'0', '"', '[', '{', ']', '\0', '\xff', 'n'}) {
      std::string bad = good;
      bad[i] = c;
      (void)ParsePod(bad);
      (void)ParsePodIdentity(bad);
    }
  }
  (void)ParsePod(std::string(1 << 20, '['));
}

TEST(PodParserTest, KeepsConditionsOfOthers) {
  const PodSpec pod = *ParsePod(
      R"({"metadata":{"namespace":"ns","name":"p","uid":"u1"},"spec":{"containers":[{"name":"c","image":"i"}]},
      "status":{"conditions":[{"type":"Ready","status":"True"},{"type":"gate/x","status":"True"},{"type":7},5]}})");
  ASSERT_EQ(pod.foreign_conditions.size(), 1u);
  EXPECT_THAT(pod.foreign_conditions[0], HasSubstr("gate/x"));
}

}  // namespace
}  // namespace skerry::edged
