#include "services/edged-svc/core/docker_bodies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/escaping.h"

namespace skerry::edged {
namespace {

using nlohmann::json;

SandboxConfig Pod() {
  SandboxConfig pod;
  pod.name_space = "ns";
  pod.name = "web";
  pod.uid = "1-2";
  pod.attempt = 3;
  pod.hostname = "web";
  pod.log_folder = "/logs/web";
  pod.cgroup_parent = "/kubepods/besteffort/pod1-2";
  return pod;
}

ContainerConfig Container() {
  ContainerConfig config;
  config.name = "c";
  config.image = "busybox";
  config.image_id = "sha256:1";
  config.restart_count = 4;
  config.spec_hash = "h";
  config.log_path = "c/4.log";
  return config;
}

json Body(const ContainerConfig& config, const SandboxConfig& pod = Pod()) {
  return json::parse(ContainerBody("sid", pod, config, "{}", "edged-svc", {}));
}

TEST(DockerBodiesTest, NamesAreDockershims) {
  EXPECT_EQ(SandboxName(Pod()), "k8s_POD_web_ns_1-2_3");
  EXPECT_EQ(ContainerName(Pod(), Container()), "k8s_c_web_ns_1-2_3-4");
}

TEST(DockerBodiesTest, ASandbox) {
  SandboxConfig pod = Pod();
  pod.ports = {{"TCP", "127.0.0.1", 80, 8080}, {"UDP", "", 53, 5353}};
  pod.labels = {{"app", "web"}, {"io.kubernetes.pod.uid", "forged"}};
  pod.sysctls = {{"net.core.somaxconn", "7"}};
  const json body = json::parse(SandboxBody(pod, "pause", "edged-svc", {}));
  EXPECT_EQ(body["Hostname"], "web");
  EXPECT_EQ(body["Labels"]["app"], "web");
  EXPECT_EQ(body["Labels"]["io.kubernetes.pod.uid"], "1-2");
  EXPECT_EQ(body["HostConfig"]["PortBindings"],
            json::parse(R"({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
                            "53/udp": [{"HostIp": "", "HostPort": "5353"}]})"));
  EXPECT_EQ(body["HostConfig"]["IpcMode"], "shareable");
  EXPECT_EQ(body["HostConfig"]["CgroupParent"], "/kubepods/besteffort/pod1-2");
  EXPECT_EQ(body["HostConfig"]["Sysctls"]["net.core.somaxconn"], "7");
  EXPECT_FALSE(body["HostConfig"].contains("Dns"));
}

TEST(DockerBodiesTest, HostNamespaces) {
  SandboxConfig pod = Pod();
  pod.host_network = pod.host_pid = pod.host_ipc = true;
  const json sandbox = json::parse(SandboxBody(pod, "pause", "edged-svc", {}));
  EXPECT_FALSE(sandbox.contains("Hostname"));
  EXPECT_EQ(sandbox["HostConfig"]["NetworkMode"], "host");
  const json host = Body(Container(), pod)["HostConfig"];
  EXPECT_EQ(host["NetworkMode"], "container:sid");
  EXPECT_EQ(host["PidMode"], "host");
  EXPECT_EQ(host["IpcMode"], "host");
}

// As Kubernetes: args alone keep the image's entrypoint, a command drops the image's arguments.
TEST(DockerBodiesTest, CommandAndArguments) {
  ContainerConfig config = Container();
  EXPECT_FALSE(Body(config).contains("Entrypoint") || Body(config).contains("Cmd"));
  config.args = {"-v"};
  EXPECT_FALSE(Body(config).contains("Entrypoint"));
  EXPECT_EQ(Body(config)["Cmd"], json({"-v"}));
  config.command = {"/bin/x"};
  EXPECT_EQ(Body(config)["Entrypoint"], json({"/bin/x"}));
}

TEST(DockerBodiesTest, LimitsMountsAndUsers) {
  ContainerConfig config = Container();
  config.limits = {512, 50000, 100000, 64 << 20, 900};
  config.mounts = {{"/a:b", "/m", true, VolumeMount::Propagation::kHostToContainer}};
  config.env = {{"A", "b=c"}};
  config.security.run_as_group = 7;  // Without a user it says nothing.
  json body = Body(config);
  EXPECT_EQ(body["User"], "");
  EXPECT_EQ(body["Env"], json({"A=b=c"}));
  EXPECT_EQ(body["HostConfig"]["MemorySwap"], 64 << 20);
  EXPECT_EQ(body["HostConfig"]["Mounts"][0],
            json::parse(R"({"Type": "bind", "Source": "/a:b", "Target": "/m", "ReadOnly": true,
                            "BindOptions": {"Propagation": "rslave"}})"));
  config.security.run_as_user = 5;
  config.groups = {9};
  body = Body(config);
  EXPECT_EQ(body["User"], "5:7");
  EXPECT_EQ(body["HostConfig"]["GroupAdd"], json({"9"}));
}

// The image's own would be run beside Kubernetes' probes.
TEST(DockerBodiesTest, NoHealthcheckOfTheImages) {
  EXPECT_EQ(Body(Container())["Healthcheck"]["Test"], json::array({"NONE"}));
}

// Docker takes the host's for what is left out.
TEST(DockerBodiesTest, DnsOfAPodIsItsOwnAlone) {
  SandboxConfig pod = Pod();
  pod.override_dns = true;
  pod.dns.servers = {"10.0.0.1"};
  json host = json::parse(SandboxBody(pod, "pause", "o", {}))["HostConfig"];
  EXPECT_EQ(host["DnsSearch"], json::array({"."}));
  EXPECT_EQ(host["DnsOptions"], json::array({"ndots:1"}));
  pod.dns.searches = {"a.example"};
  pod.dns.options = {"ndots:5"};
  host = json::parse(SandboxBody(pod, "pause", "o", {}))["HostConfig"];
  EXPECT_EQ(host["DnsSearch"], json::array({"a.example"}));
  EXPECT_EQ(host["DnsOptions"], json::array({"ndots:5"}));
}

TEST(DockerBodiesTest, Seccomp) {
  ContainerConfig config = Container();
  EXPECT_EQ(Body(config)["HostConfig"]["SecurityOpt"], json({"seccomp=unconfined"}));
  config.security.seccomp_type = "RuntimeDefault";
  EXPECT_EQ(Body(config)["HostConfig"]["SecurityOpt"], json::array());
  config.security.seccomp_type = "Localhost";
  EXPECT_EQ(Body(config)["HostConfig"]["SecurityOpt"], json({"seccomp={}"}));
}

TEST(DockerBodiesTest, BytesThatAreNoTextDoNotSpoilTheRest) {
  ContainerConfig config = Container();
  config.env = {{"A", "\xff"}};
  EXPECT_EQ(Body(config)["Env"][0], "A=\xEF\xBF\xBD");
}

TEST(DockerBodiesTest, SystemdsSlices) {
  EXPECT_EQ(SliceOf("/kubepods/besteffort/pod1-2"), "kubepods-besteffort-pod1_2.slice");
  EXPECT_EQ(SliceOf("/"), "-.slice");
  const json body = json::parse(SandboxBody(Pod(), "pause", "o", {.systemd_cgroups = true}));
  EXPECT_EQ(body["HostConfig"]["CgroupParent"], "kubepods-besteffort-pod1_2.slice");
}

TEST(DockerBodiesTest, ADockerThatMayNotLowerTheOomScore) {
  ContainerConfig config = Container();
  config.limits.oom_score_adj = -997;
  EXPECT_EQ(Body(config)["HostConfig"]["OomScoreAdj"], -997);
  const DockerFacts facts{.restrict_oom_score_adj = true};
  const json body = json::parse(ContainerBody("sid", Pod(), config, "", "o", facts));
  EXPECT_EQ(body["HostConfig"]["OomScoreAdj"], 0);
}

TEST(DockerBodiesTest, Credentials) {
  const std::string header = AuthHeader({"user", "pass>>>??", "", "registry.example"});
  EXPECT_EQ(header.find_first_of("+/"), std::string::npos);
  std::string text;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(header, &text));
  EXPECT_EQ(json::parse(text)["password"], "pass>>>??");
}

TEST(DockerBodiesTest, TheFilterOfAnOwner) {
  EXPECT_EQ(OwnerFilter("me"), R"({"label":["io.skerry.owner=me"]})");
}

}  // namespace
}  // namespace skerry::edged
