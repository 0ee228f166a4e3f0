#include "services/edged-svc/testing/app_suite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/edged-svc/adapters/mounts.h"
#include "services/edged-svc/app.h"
#include "services/edged-svc/testing/fake_meta.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using nlohmann::json;

json Status(const FakeReport& report) {
  return report.status_json.empty() ? json::object() : json::parse(report.status_json);
}
json Container(const FakeReport& report) {
  const json status = Status(report);
  return status.contains("containerStatuses") && !status["containerStatuses"].empty()
             ? status["containerStatuses"][0]
             : json::object();
}
std::string Id(const FakeReport& report) { return Container(report).value("containerID", ""); }
bool Runs(const FakeReport& report) {
  return Status(report).value("phase", "") == "Running" && Container(report).value("ready", false);
}
std::string WaitingReason(const FakeReport& report) {
  const json container = Container(report);
  return container.contains("state") && container["state"].contains("waiting")
             ? container["state"]["waiting"].value("reason", "")
             : "";
}
// Nothing tells of a change to a file: looks every 50 ms, for 30 s.
bool AwaitTrue(const std::function<bool()>& condition) {
  for (int i = 0; i < 600; ++i) {
    if (condition()) return true;
    absl::SleepFor(absl::Milliseconds(50));  // NOLINT(test-sleeps): polls a file, with a deadline
  }
  return false;
}

std::string Read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AppTest : public ::testing::Test {
 protected:
  AppTest() : meta_(std::make_unique<FakeMeta>(temp_.File("edge-meta.sock"))) {
    config_.node_name = "edge-1";
    config_.state_dir = temp_.File("state");
    config_.run_dir = temp_.path();
    config_.runtime_endpoint = runtime_->endpoint();
    config_.sandbox_image = PrivateRuntime::sandbox_image();
    config_.restrict_oom_score_adj = true;  // As tools/dev/containerd has it.
    config_.cgroup_parent = runtime_->cgroup();
    config_.relist_period = absl::Milliseconds(200);
    config_.meta_reconnect_max = absl::Milliseconds(200);
    meta_->Put("configmaps", "ns/cm", R"({"data":{"color":"blue"}})");
    meta_->Put("secrets", "ns/s", R"({"data":{"pw":"aHVudGVyMg=="}})");
  }
  ~AppTest() override {
    app_.reset();
    runtime_.reset();                                   // Removes the cgroups of what still ran.
    EXPECT_TRUE(UnmountBelow(config_.state_dir).ok());  // Volumes outlive edged on purpose.
  }

  void Start() {
    app_ = std::make_unique<EdgedApp>(config_, clock_, log::Logger::Null());
    const absl::Status started = app_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  // A restart without drain: nothing of what was in flight is waited for by the containers.
  void Restart() {
    app_.reset();
    Start();
  }
  static std::string Pod(const std::string& name, const std::string& spec,
                         const std::string& meta = "") {
    return absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name, R"(","uid":"uid-)", name,
                        "\"", meta, R"(},"spec":{"nodeName":"edge-1",)", spec, "}}");
  }
  static std::string Command(const std::string& script, const std::string& more = "") {
    return absl::StrCat(
        R"("containers":[{"name":"c","image":"skerry.local/busybox:1","command":["sh","-c",")",
        script, "\"]", more, "}]");
  }
  std::string Log(const std::string& pod) const {
    return Read(absl::StrCat(config_.state_dir, "/logs/pods/ns_", pod, "_uid-", pod, "/c/0.log"));
  }

  skerry::testing::TempDir temp_;
  std::unique_ptr<PrivateRuntime> runtime_ = MakePrivateRuntime();
  std::unique_ptr<FakeMeta> meta_;
  EdgedConfig config_;
  SystemClock clock_;
  std::unique_ptr<EdgedApp> app_;
};

// [edged-1.1] [edged-2.2] [edged-4.2]
TEST_F(AppTest, RunsAPodAndKeepsItOverRestartsOfEverythingElse) {
  meta_->Put(
      "pods", "ns/p",
      Pod("p",
          Command(
              // A ConfigMap is not for the container to write to.
              "echo $COLOR $PW $(touch /v/x 2>/dev/null && echo writable); exec sleep 1000",
              R"(,"env":[{"name":"COLOR","valueFrom":{"configMapKeyRef":{"name":"cm","key":"color"}}},
                                  {"name":"PW","valueFrom":{"secretKeyRef":{"name":"s","key":"pw"}}}],"volumeMounts":[{"name":"v","mountPath":"/v"}])") +
              R"(,"volumes":[{"name":"v","configMap":{"name":"cm"}}])"));
  Start();
  ASSERT_TRUE(meta_->Await("ns/p", Runs));
  const FakeReport first = meta_->Report("pods", "ns/p");
  EXPECT_EQ(first.uid, "uid-p");
  EXPECT_TRUE(AwaitTrue([&] { return absl::StrContains(Log("p"), "stdout F blue hunter2\n"); }))
      << Log("p");
  EXPECT_EQ(Container(first)["restartCount"], 0);
  const bool docker = absl::EndsWith(runtime_->endpoint(), "/docker.sock");
  EXPECT_TRUE(absl::StartsWith(Id(first), docker ? "docker://" : "containerd://")) << Id(first);
  EXPECT_EQ(app_->readiness().WaitingFor(), "");

  Restart();
  meta_->Put("pods", "ns/q",
             Pod("q", Command("exec sleep 1000") + R"(,"terminationGracePeriodSeconds":1)"));
  ASSERT_TRUE(meta_->Await("ns/q", Runs));  // By now the restarted one has looked at everything.
  EXPECT_EQ(Id(meta_->Report("pods", "ns/p")), Id(first));

  // The store restarts and can't resume; in between an object has changed.
  meta_->Put("configmaps", "ns/cm", R"({"data":{"color":"red"}})");
  meta_->Delete("pods", "ns/q");
  meta_->Disconnect();
  const std::string file =
      config_.state_dir + "/edged/pods/uid-p/volumes/kubernetes.io~configmap/v/color";
  ASSERT_TRUE(meta_->Await("ns/q", [](const FakeReport& r) { return r.gone; }));
  EXPECT_TRUE(AwaitTrue([&] { return Read(file) == "red"; })) << Read(file);
  EXPECT_EQ(Id(meta_->Report("pods", "ns/p")), Id(first));
}

// [edged-2.3]
TEST_F(AppTest, PowerCutBringsBackWhatShouldRun) {
  meta_->Put("pods", "ns/always", Pod("always", Command("exec sleep 1000")));
  meta_->Put("pods", "ns/done", Pod("done", Command("exit 0") + R"(,"restartPolicy":"Never")"));
  Start();
  ASSERT_TRUE(meta_->Await("ns/always", Runs));
  ASSERT_TRUE(meta_->Await(
      "ns/done", [](const FakeReport& r) { return Status(r).value("phase", "") == "Succeeded"; }));
  const FakeReport before = meta_->Report("pods", "ns/always");
  const std::string done = Id(meta_->Report("pods", "ns/done"));
  app_.reset();
  runtime_->PowerCycle();
  Start();
  ASSERT_TRUE(meta_->Await("ns/always",
                           [&](const FakeReport& r) { return Runs(r) && Id(r) != Id(before); }));
  const FakeReport after = meta_->Report("pods", "ns/always");
  EXPECT_EQ(Container(after)["restartCount"], 1);
  EXPECT_EQ(Status(after)["startTime"], Status(before)["startTime"]);
  EXPECT_EQ(Status(meta_->Report("pods", "ns/done"))["phase"], "Succeeded");
  EXPECT_EQ(Id(meta_->Report("pods", "ns/done")), done);
}

// [edged-1.6] [edged-1.7]
TEST_F(AppTest, DeletionIsGracefulAndComplete) {
  const std::string spec = Command(
      "trap 'echo bye > /dev/termination-log; exit 0' TERM; while true; do sleep 0.05; done");
  meta_->Put("pods", "ns/p", Pod("p", spec));
  meta_->Put("pods", "ns/orphan",
             Pod("orphan", Command("exec sleep 1000") + R"(,"terminationGracePeriodSeconds":1)"));
  Start();
  ASSERT_TRUE(meta_->Await("ns/p", Runs));
  ASSERT_TRUE(meta_->Await("ns/orphan", Runs));
  meta_->Put("pods", "ns/p",
             Pod("p", spec,
                 R"(,"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":20)"));
  ASSERT_TRUE(meta_->Await("ns/p", [](const FakeReport& r) { return r.gone; }));
  const FakeReport gone = meta_->Report("pods", "ns/p");
  EXPECT_EQ(Container(gone)["state"]["terminated"]["exitCode"], 0);
  EXPECT_EQ(Container(gone)["state"]["terminated"]["message"], "bye\n");
  EXPECT_FALSE(std::filesystem::exists(config_.state_dir + "/edged/pods/uid-p"));
  EXPECT_EQ(Log("p"), "");

  // What the store forgot while edged was down is ended too.
  app_.reset();
  meta_->Delete("pods", "ns/orphan");
  Start();
  EXPECT_TRUE(meta_->Await("ns/orphan", [](const FakeReport& r) { return r.gone; }));
}

// [edged-3.2] [edged-5.1]
TEST_F(AppTest, SaysWhyAPodDoesNotRunAndNoneHoldsUpAnother) {
  meta_->Put("pods", "ns/image",
             Pod("image", R"("containers":[{"name":"c","image":"127.0.0.1:9/no:1"}])"));
  meta_->Put("pods", "ns/name", Pod("name", R"("containers":[{"name":"c","image":"NO::"}])"));
  meta_->Put("pods", "ns/env",
             Pod("env", Command("true", R"(,"envFrom":[{"secretRef":{"name":"later"}}])")));
  meta_->Put("pods", "ns/mount",
             Pod("mount",
                 Command("exec sleep 1000", R"(,"volumeMounts":[{"name":"v","mountPath":"/v"}])") +
                     R"(,"volumes":[{"name":"v","secret":{"secretName":"later"}}])"));
  meta_->Put("pods", "ns/bad", Pod("bad", R"("containers":[{"name":"../c","image":"i"}])"));
  meta_->Put("pods", "ns/crash", Pod("crash", Command("exit 3")));
  meta_->Put("pods", "ns/good", Pod("good", Command("exec sleep 1000")));
  Start();
  EXPECT_TRUE(meta_->Await("ns/good", Runs));
  EXPECT_TRUE(meta_->Await("ns/image",
                           [](const FakeReport& r) { return WaitingReason(r) == "ErrImagePull"; }));
  EXPECT_TRUE(meta_->Await(
      "ns/image", [](const FakeReport& r) { return WaitingReason(r) == "ImagePullBackOff"; }));
  EXPECT_TRUE(meta_->Await(
      "ns/name", [](const FakeReport& r) { return WaitingReason(r) == "InvalidImageName"; }));
  EXPECT_TRUE(meta_->Await("ns/env", [](const FakeReport& r) {
    return WaitingReason(r) == "CreateContainerConfigError";
  }));
  EXPECT_TRUE(meta_->Await("ns/mount", [](const FakeReport& r) {
    return r.status_json.find("secret \\\"later\\\" not found") != std::string::npos;
  }));
  EXPECT_TRUE(meta_->Await(
      "ns/bad", [](const FakeReport& r) { return Status(r).value("reason", "") == "InvalidPod"; }));
  EXPECT_TRUE(meta_->Await(
      "ns/crash", [](const FakeReport& r) { return WaitingReason(r) == "CrashLoopBackOff"; }));
  meta_->Put("secrets", "ns/later", R"({"data":{"k":"eA=="}})");
  EXPECT_TRUE(meta_->Await("ns/mount", Runs));
}

// [edged-6.1]
TEST_F(AppTest, LogsAreRotatedWhileTheyAreWritten) {
  config_.container_log_bytes_max = 20'000;
  config_.container_log_files_max = 3;
  config_.container_log_interval = absl::Milliseconds(50);
  meta_->Put("pods", "ns/p",
             Pod("p", Command("n=0; while true; do n=$((n+1)); echo line $n; usleep 1000; done")));
  Start();
  const std::string folder = config_.state_dir + "/logs/pods/ns_p_uid-p/c";
  const auto compressed = [&] {
    std::set<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename();
      if (absl::EndsWith(name, ".gz")) names.insert(name);
    }
    return names;
  };
  ASSERT_TRUE(AwaitTrue([&] { return !compressed().empty(); }));
  const std::string oldest = *compressed().begin();
  // It goes with time, and there are never more than one beside the last and the current.
  EXPECT_TRUE(AwaitTrue([&] { return !compressed().contains(oldest); }));
  EXPECT_TRUE(AwaitTrue([&] { return absl::StrContains(Log("p"), " stdout F line "); }));
  EXPECT_LE(compressed().size(), 2u);  // The newer of two while the older is being removed.
}

// [edged-6.2]
TEST_F(AppTest, AFullDiskTakesUnusedImagesOnly) {
  config_.image_gc_high_threshold_percent = 1;  // Every disk is as full as that.
  config_.image_gc_low_threshold_percent = 0;
  config_.image_gc_age_min = absl::Milliseconds(1);
  config_.image_gc_interval = absl::Milliseconds(50);
  // The pod names an image that no container uses before the Secret is there.
  meta_->Put(
      "pods", "ns/p",
      Pod("p", Command("exec sleep 1000", R"(,"envFrom":[{"secretRef":{"name":"later"}}])")));
  Start();
  ASSERT_TRUE(meta_->Await("ns/p", [](const FakeReport& r) {
    return WaitingReason(r) == "CreateContainerConfigError";
  }));
  const auto goes = [&](const std::string& name) {
    EXPECT_TRUE(AwaitTrue([&] { return !runtime_->HasImage(name); })) << name;
  };
  runtime_->AddImage("skerry.local/idle:1");
  const std::string pulled = runtime_->Publish("team/idle:2");
  if (pulled.empty()) {
    goes("skerry.local/idle:1");
  } else {  // [edged-10.8] The runtime is not edged's alone.
    meta_->Put("pods", "ns/pulls",
               Pod("pulls", absl::StrCat(R"("restartPolicy":"Never","containers":[{"name":"c",)",
                                         R"("image":")", pulled, "\"}]")));
    EXPECT_TRUE(AwaitTrue([&] { return runtime_->HasImage(pulled); }));
    meta_->Delete("pods", "ns/pulls");
    goes(pulled);
    EXPECT_TRUE(runtime_->HasImage("skerry.local/idle:1"));
  }
  EXPECT_TRUE(runtime_->HasImage(PrivateRuntime::image()));
  EXPECT_TRUE(runtime_->HasImage(PrivateRuntime::sandbox_image()));
  meta_->Put("secrets", "ns/later", R"({"data":{"k":"eA=="}})");
  EXPECT_TRUE(meta_->Await("ns/p", Runs));
}

// [edged-3.6]
TEST_F(AppTest, ProbesAndHooksThatHangHoldUpNoOther) {
  const std::string hangs =
      R"({"httpGet":{"port":8080,"path":"/cgi-bin/hang"},"timeoutSeconds":600,"periodSeconds":1})";
  for (const char* name : {"h1", "h2", "h3", "h4"}) {
    meta_->Put(
        "pods", absl::StrCat("ns/", name),
        Pod(name,
            Command(
                "mkdir -p /cgi-bin; printf '#!/bin/sh\\nsleep 1000' > /cgi-bin/hang; "
                "chmod +x /cgi-bin/hang; httpd -f -p 8080 -h /",
                absl::StrCat(
                    R"(,"startupProbe":{"tcpSocket":{"port":8080},"periodSeconds":1,"failureThreshold":30})",
                    R"(,"readinessProbe":)", hangs, R"(,"livenessProbe":)", hangs))));
  }
  Start();
  for (const char* name : {"h1", "h2", "h3", "h4"}) {
    ASSERT_TRUE(meta_->Await(absl::StrCat("ns/", name), [](const FakeReport& r) {
      return Container(r).value("started", false);
    }));
  }
  // Its hook asks another, which is up already. Any answer will do.
  const std::string other = Status(meta_->Report("pods", "ns/h1")).value("podIP", "");
  meta_->Put(
      "pods", "ns/quick",
      Pod("quick",
          Command(
              "httpd -f -p 8080 -h /",
              absl::StrCat(
                  R"(,"readinessProbe":{"httpGet":{"port":8080,"path":"/etc/passwd"},"periodSeconds":1},
                      "lifecycle":{"postStart":{"httpGet":{"host":")",
                  other, R"(","port":8080,"path":"/none"}}})")) +
              R"(,"terminationGracePeriodSeconds":1)"));
  EXPECT_TRUE(meta_->Await("ns/quick", Runs));
  EXPECT_EQ(Container(meta_->Report("pods", "ns/quick"))["restartCount"], 0);
  EXPECT_FALSE(Runs(meta_->Report("pods", "ns/h1")));
}

// [edged-3.4]
TEST_F(AppTest, ProbesDecide) {
  meta_->Put(
      "pods", "ns/p",
      Pod("p",
          Command("touch /alive; httpd -f -p 8080 -h /",
                  R"(,"readinessProbe":{"httpGet":{"port":8080,"path":"/alive"},"periodSeconds":1},
                                  "livenessProbe":{"exec":{"command":["cat","/alive"]},"periodSeconds":1,"failureThreshold":1},
                                  "startupProbe":{"tcpSocket":{"port":8080},"periodSeconds":1,"failureThreshold":30},
                                  "lifecycle":{"postStart":{"exec":{"command":["sh","-c","sleep 3; rm /alive"]}}})") +
              R"(,"terminationGracePeriodSeconds":1)"));
  Start();
  ASSERT_TRUE(meta_->Await("ns/p", Runs));
  EXPECT_TRUE(meta_->Await(
      "ns/p", [](const FakeReport& r) { return Container(r).value("restartCount", 0) == 1; }));
}

}  // namespace
}  // namespace skerry::edged
