#include "services/edged-svc/core/docker_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"

namespace skerry::edged {
namespace {

using State = ContainerView::State;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DockerViewsTest, AList) {
  const auto list = ParseDockerList(R"([
    {"Id": "a", "ImageID": "sha256:1", "State": "running", "Created": 1700000000,
     "Labels": {"io.kubernetes.docker.type": "podsandbox", "bad": 7},
     "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": ""}}}},
    {"State": "exited"}, 7, {"Id": "b", "State": "paused", "Labels": null}])");
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_TRUE((*list)[0].IsSandbox());
  EXPECT_THAT((*list)[0].addresses, ElementsAre("172.17.0.2"));
  EXPECT_EQ((*list)[1].state, State::kRunning);
  EXPECT_THAT(*ParseDockerList("null"), IsEmpty());
  for (const char* bad : {"", "{}", "[", "7"})
    EXPECT_EQ(ParseDockerList(bad).status().code(), absl::StatusCode::kDataLoss) << bad;
}

ContainerView Container(const std::string& state) {
  const auto parsed = ParseDockerContainer(
      R"({"Id": "x", "Image": "sha256:1", "Created": "2026-01-01T00:00:00.5Z",
          "Config": {"Tty": false, "Labels": {"io.kubernetes.container.name": "c",
          "io.kubernetes.sandbox.id": "s", "annotation.io.kubernetes.container.hash": "h",
          "annotation.io.kubernetes.container.restartCount": "4"}}, "State": )" +
      state + "}");
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed->view;
}

TEST(DockerViewsTest, AContainerThatRuns) {
  const ContainerView c = Container(
      R"({"Status": "running", "Pid": 7, "ExitCode": 0, "StartedAt": "2026-01-01T00:00:01Z",
          "FinishedAt": "0001-01-01T00:00:00Z"})");
  EXPECT_EQ(c.state, State::kRunning);
  EXPECT_EQ(c.sandbox_id, "s");
  EXPECT_EQ(c.spec_hash, "h");
  EXPECT_EQ(c.restart_count, 4);
  EXPECT_EQ(c.finished, absl::UnixEpoch());
  EXPECT_EQ(c.reason, "");
}

TEST(DockerViewsTest, HowAContainerEnds) {
  const std::string times =
      R"("StartedAt": "2026-01-01T00:00:01Z", "FinishedAt": "2026-01-01T00:00:02Z"})";
  EXPECT_EQ(Container(R"({"Status": "exited", "ExitCode": 0, )" + times).reason, "Completed");
  EXPECT_EQ(Container(R"({"Status": "exited", "ExitCode": 7, )" + times).reason, "Error");
  EXPECT_EQ(Container(R"({"Status": "dead", "OOMKilled": true, "ExitCode": 137, )" + times).reason,
            "OOMKilled");
  // The clock was set back while it ran.
  const ContainerView back = Container(
      R"({"Status": "exited", "StartedAt": "2026-01-01T00:00:09Z",
          "FinishedAt": "2026-01-01T00:00:02Z"})");
  EXPECT_EQ(back.finished, back.started);
}

TEST(DockerViewsTest, AStartThatFailedIsAnEnd) {
  const ContainerView c = Container(
      R"({"Status": "created", "ExitCode": 127, "Error": "no such file",
          "StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"})");
  EXPECT_EQ(c.state, State::kExited);
  EXPECT_EQ(c.exit_code, 127);
  EXPECT_EQ(c.reason, "ContainerCannotRun");
  EXPECT_EQ(c.message, "no such file");
  EXPECT_EQ(c.started, c.created);
  EXPECT_EQ(Container(R"({"Status": "created"})").state, State::kCreated);
}

TEST(DockerViewsTest, Images) {
  const auto image = ParseDockerImage(
      R"({"Id": "sha256:1", "RepoTags": ["a:1", "<none>:<none>"], "RepoDigests": null,
          "Size": 42, "Config": {"User": "1000:100"}})");
  ASSERT_TRUE(image.ok());
  EXPECT_THAT(image->names, ElementsAre("a:1"));
  EXPECT_EQ(ToImageView(*image).uid, 1000);
  EXPECT_EQ(ToImageView({.user = "nobody:x"}).username, "nobody");
  EXPECT_FALSE(ToImageView({}).uid.has_value());
}

TEST(DockerViewsTest, WhatAPullSays) {
  DockerPullReader reader;
  reader.Put(R"({"status": "Pulling"})");
  reader.Put("\n{\"errorDetail\": {\"mess");
  EXPECT_TRUE(reader.status().ok());
  reader.Put("age\": \"manifest unknown\"}}\n");
  EXPECT_EQ(reader.status().message(), "manifest unknown");
  DockerPullReader noise;
  noise.Put(std::string(1 << 20, 'x') + "\nnot json\n{\"error\": \"denied\"}\n");
  EXPECT_EQ(noise.status().message(), "denied");
}

TEST(DockerViewsTest, TheEngine) {
  const auto info = ParseDockerInfo(
      R"({"ServerVersion": "20.10.24", "DockerRootDir": "/d", "CgroupDriver": "systemd"})");
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->facts.systemd_cgroups);
  EXPECT_EQ(info->root_dir, "/d");
  EXPECT_EQ(*ParseDockerId(R"({"Id": "x"})"), "x");
  EXPECT_FALSE(ParseDockerId("{}").ok());
  const auto exec = ParseDockerExec(R"({"Running": true, "ExitCode": null, "Pid": 9})");
  EXPECT_TRUE(exec->running);
  EXPECT_EQ(exec->exit_code, 0);
}

}  // namespace
}  // namespace skerry::edged
