#include "services/lib/kubeapi/pod_stream_target.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skerry::kubeapi {
namespace {

Json Pod(std::vector<std::string> containers) {
  Json pod = {{"metadata", {{"namespace", "ns"}, {"name", "web"}}},
              {"spec", {{"containers", Json::array()}}}};
  for (const std::string& name : containers) pod["spec"]["containers"].push_back({{"name", name}});
  return pod;
}

TEST(KubeletTargetTest, SpellsLogsAsTheKubeletDoes) {
  EXPECT_EQ(
      *KubeletTarget("log", Pod({"app"}), {{"follow", "true"}, {"tailLines", "5"}, {"x", "y"}}),
      "/containerLogs/ns/web/app?follow=true&tailLines=5");
  EXPECT_EQ(*KubeletTarget("log", Pod({"app", "side"}), {{"container", "side"}}),
            "/containerLogs/ns/web/side");
}

TEST(KubeletTargetTest, SpellsExecAndAttachAsTheKubeletDoes) {
  EXPECT_EQ(*KubeletTarget("exec", Pod({"app"}),
                           {{"command", "sh"},
                            {"command", "a b&c"},
                            {"stdin", "true"},
                            {"stdout", "true"},
                            {"stderr", "false"},
                            {"tty", "1"}}),
            "/exec/ns/web/app?input=1&output=1&tty=1&command=sh&command=a%20b%26c");
  EXPECT_EQ(*KubeletTarget("attach", Pod({"app"}), {{"stdout", "true"}}),
            "/attach/ns/web/app?output=1");
}

TEST(KubeletTargetTest, PortsNeedNoContainer) {
  EXPECT_EQ(*KubeletTarget("portforward", Pod({"app", "side"}), {{"ports", "80"}}),
            "/portForward/ns/web?port=80");
}

TEST(KubeletTargetTest, AsksForAContainerOfThePod) {
  EXPECT_EQ(KubeletTarget("log", Pod({"app", "side"}), {}).status().message(),
            "a container name must be specified for pod web, choose one of: [app side]");
  EXPECT_EQ(KubeletTarget("exec", Pod({"app"}), {{"container", "no"}}).status().message(),
            "container no is not valid for pod web");
  Json pod = Pod({"app"});
  pod["spec"]["initContainers"] = {{{"name", "first"}}};
  EXPECT_EQ(*KubeletTarget("log", pod, {{"container", "first"}}), "/containerLogs/ns/web/first");
}

TEST(KubeletAddressTest, PrefersWhatTheKubeApiserverPrefers) {
  Json node = {{"metadata", {{"name", "edge-1"}}},
               {"status",
                {{"daemonEndpoints", {{"kubeletEndpoint", {{"Port", 10250}}}}},
                 {"addresses",
                  {{{"type", "InternalIP"}, {"address", "10.0.0.7"}},
                   {{"type", "Hostname"}, {"address", "controller.example"}}}}}}};
  EXPECT_EQ(KubeletAddressOf(node)->host, "controller.example");
  EXPECT_EQ(KubeletAddressOf(node)->port, 10250);
  node["status"]["addresses"].erase(1);
  EXPECT_EQ(KubeletAddressOf(node)->host, "10.0.0.7");
  node["status"]["addresses"].clear();
  EXPECT_FALSE(KubeletAddressOf(node).ok());
  node["status"].erase("daemonEndpoints");
  EXPECT_NE(KubeletAddressOf(node).status().message().find("has no kubelet endpoint"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace skerry::kubeapi
