#include "services/edged-svc/testing/runtime_contract.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace skerry::edged {
namespace {

using State = ContainerView::State;
using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

RuntimeContractTest::~RuntimeContractTest() {
  const absl::StatusOr<std::vector<PodView>> pods = runtime_.ListPods();
  if (!pods.ok()) return;
  for (const PodView& pod : *pods) {
    for (const SandboxView& sandbox : pod.sandboxes) {
      runtime_.StopSandbox(sandbox.id).IgnoreError();
      runtime_.RemoveSandbox(sandbox.id).IgnoreError();
    }
  }
}

SandboxConfig RuntimeContractTest::Sandbox(const std::string& name) {
  SandboxConfig config;
  config.name_space = "ns";
  config.name = name;
  config.uid = "uid-" + name;
  config.hostname = name;
  config.log_folder = env_.folder + "/logs/" + name;
  config.cgroup_parent = env_.cgroup + "/" + config.uid;
  return config;
}

ContainerConfig RuntimeContractTest::Container(const std::string& name, const std::string& script) {
  ContainerConfig config;
  config.name = name;
  config.image = env_.image;
  const absl::StatusOr<std::optional<ImageView>> image = runtime_.FindImage(env_.image);
  if (image.ok() && image->has_value()) config.image_id = (*image)->id;
  config.spec_hash = "hash-" + name;
  config.command = {"sh", "-c", script};
  config.log_path = name + "/0.log";
  config.limits.cpu_shares = 2;
  return config;
}

std::string RuntimeContractTest::Run(const std::string& sandbox_id, const SandboxConfig& sandbox,
                                     const ContainerConfig& config) {
  std::filesystem::create_directories(sandbox.log_folder + "/" + config.name);
  const absl::StatusOr<std::string> id = runtime_.CreateContainer(sandbox_id, sandbox, config);
  EXPECT_TRUE(id.ok()) << id.status();
  if (!id.ok()) return "";
  const absl::Status started = runtime_.StartContainer(*id);
  EXPECT_TRUE(started.ok()) << started;
  return *id;
}

PodView RuntimeContractTest::View(const std::string& name) {
  const absl::StatusOr<std::vector<PodView>> pods = runtime_.ListPods();
  EXPECT_TRUE(pods.ok()) << pods.status();
  for (const PodView& pod : *pods) {
    if (pod.name == name) return pod;
  }
  return {};
}

ContainerView RuntimeContractTest::Await(const std::string& name, const std::string& container,
                                         State state) {
  for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(20))) {
    const PodView pod = View(name);
    const ContainerView* latest = pod.Latest(container);
    if (latest != nullptr && latest->state == state) return *latest;
  }
  ADD_FAILURE() << container << " did not reach the state in time";
  return {};
}

absl::Status RuntimeContractTest::Stop(const std::string& id, absl::Duration grace) {
  std::promise<absl::Status> done;
  runtime_.StopContainer(id, grace, [&](absl::Status status) { done.set_value(status); });
  return done.get_future().get();
}

absl::StatusOr<ExecResult> RuntimeContractTest::Exec(const std::string& id,
                                                     const std::string& script,
                                                     absl::Duration timeout) {
  std::promise<absl::StatusOr<ExecResult>> done;
  runtime_.Exec(id, {"sh", "-c", script}, timeout,
                [&](absl::StatusOr<ExecResult> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

TEST_P(RuntimeContractTest, SaysWhatItIs) {
  const absl::StatusOr<RuntimeStatus> status = runtime_.Status();
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_TRUE(status->ready && status->network_ready) << status->message;
  EXPECT_NE(status->name, "");
  EXPECT_NE(status->version, "");
}

TEST_P(RuntimeContractTest, ListsAPodWithAllThatItWasGiven) {
  const SandboxConfig sandbox = Sandbox("list");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config = Container("c", "exec sleep 1000");
  config.restart_count = 4;
  const std::string container = Run(*id, sandbox, config);
  const PodView pod = View("list");
  EXPECT_EQ(pod.uid, "uid-list");
  EXPECT_EQ(pod.name_space, "ns");
  ASSERT_NE(pod.ReadySandbox(), nullptr);
  EXPECT_EQ(pod.ReadySandbox()->addresses.size(), 1u);
  ASSERT_EQ(pod.containers.size(), 1u);
  const ContainerView& c = pod.containers[0];
  EXPECT_EQ(c.id, container);
  EXPECT_EQ(c.sandbox_id, *id);
  EXPECT_EQ(c.state, State::kRunning);
  EXPECT_EQ(c.restart_count, 4);
  EXPECT_EQ(c.spec_hash, "hash-c");
  EXPECT_EQ(c.image, env_.image);
  EXPECT_GT(c.started, absl::Now() - absl::Minutes(1));
  EXPECT_EQ(c.log_path, sandbox.log_folder + "/c/0.log");
}

TEST_P(RuntimeContractTest, TellsHowAContainerEnded) {
  const SandboxConfig sandbox = Sandbox("ends");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  Run(*id, sandbox, Container("good", "echo out; echo err >&2"));
  Run(*id, sandbox, Container("bad", "exit 7"));
  const ContainerView good = Await("ends", "good", State::kExited);
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.reason, "Completed");
  EXPECT_GE(good.finished, good.started);
  const ContainerView bad = Await("ends", "bad", State::kExited);
  EXPECT_EQ(bad.exit_code, 7);
  EXPECT_EQ(bad.reason, "Error");
  const std::string log = ReadFile(sandbox.log_folder + "/good/0.log");
  EXPECT_THAT(log, HasSubstr(" stdout F out\n"));
  EXPECT_THAT(log, HasSubstr(" stderr F err\n"));
}

TEST_P(RuntimeContractTest, TellsWhenMemoryRanOut) {
  const SandboxConfig sandbox = Sandbox("oom");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config = Container("c", "x=x; while true; do x=$x$x; done");
  config.limits.memory_bytes_max = 16 << 20;
  Run(*id, sandbox, config);
  const ContainerView c = Await("oom", "c", State::kExited);
  EXPECT_EQ(c.exit_code, 137);
  EXPECT_EQ(c.reason, "OOMKilled");
}

TEST_P(RuntimeContractTest, StopsGentlyThenForGood) {
  const SandboxConfig sandbox = Sandbox("stop");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  const std::string gentle =
      Run(*id, sandbox, Container("gentle", "trap 'exit 5' TERM; while true; do sleep 0.05; done"));
  const std::string deaf =
      Run(*id, sandbox, Container("deaf", "trap '' TERM; while true; do sleep 0.05; done"));
  ASSERT_TRUE(Exec(gentle, "true").ok());  // Both traps are set by the time that commands run.
  ASSERT_TRUE(Exec(deaf, "sleep 0.2").ok());
  EXPECT_TRUE(Stop(gentle, absl::Seconds(20)).ok());
  EXPECT_EQ(Await("stop", "gentle", State::kExited).exit_code, 5);
  const absl::Time begin = absl::Now();
  EXPECT_TRUE(Stop(deaf, absl::Seconds(1)).ok());
  EXPECT_GE(absl::Now() - begin, absl::Milliseconds(900));
  EXPECT_EQ(Await("stop", "deaf", State::kExited).exit_code, 137);
  EXPECT_TRUE(Stop(deaf, absl::Seconds(1)).ok());  // Again, and of what never was.
  EXPECT_TRUE(
      Stop("0000000000000000000000000000000000000000000000000000000000000000", absl::Seconds(1))
          .ok());
}

TEST_P(RuntimeContractTest, RunsCommandsInside) {
  const SandboxConfig sandbox = Sandbox("exec");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config = Container("c", "exec sleep 1000");
  config.env = {{"A", "b c"}};
  std::filesystem::create_directories(env_.folder + "/mount");
  std::ofstream(env_.folder + "/mount/f") << "mounted";
  config.mounts = {{env_.folder + "/mount", "/m", true, VolumeMount::Propagation::kNone}};
  const std::string container = Run(*id, sandbox, config);
  const auto result = Exec(container, "echo $A; cat /m/f; hostname; exit 3");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "b c\nmountedexec\n");
  EXPECT_EQ(Exec(container, "touch /m/x")->exit_code, 1);  // Read-only.
  EXPECT_EQ(Exec(container, "sleep 100", absl::Seconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_P(RuntimeContractTest, RemovalIsComplete) {
  const SandboxConfig sandbox = Sandbox("gone");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  const std::string container = Run(*id, sandbox, Container("c", "exec sleep 1000"));
  EXPECT_TRUE(runtime_.StopSandbox(*id).ok());
  EXPECT_EQ(Await("gone", "c", State::kExited).exit_code, 137);
  EXPECT_EQ(View("gone").ReadySandbox(), nullptr);
  EXPECT_TRUE(runtime_.RemoveContainer(container).ok());
  EXPECT_TRUE(runtime_.RemoveContainer(container).ok());
  EXPECT_TRUE(runtime_.RemoveSandbox(*id).ok());
  EXPECT_TRUE(runtime_.RemoveSandbox(*id).ok());
  EXPECT_TRUE(runtime_.StopSandbox(*id).ok());
  EXPECT_EQ(View("gone").uid, "");
}

TEST_P(RuntimeContractTest, NewestFirst) {
  const SandboxConfig sandbox = Sandbox("order");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  for (int restart = 0; restart < 3; ++restart) {
    ContainerConfig config = Container("c", "exit 0");
    config.restart_count = restart;
    config.log_path = absl::StrCat("c/", restart, ".log");
    Run(*id, sandbox, config);
  }
  const PodView pod = View("order");
  ASSERT_EQ(pod.containers.size(), 3u);
  EXPECT_EQ(pod.Latest("c")->restart_count, 2);
}

TEST_P(RuntimeContractTest, KnowsItsImages) {
  const auto present = runtime_.FindImage(env_.image);
  ASSERT_TRUE(present.ok()) << present.status();
  ASSERT_TRUE(present->has_value());
  EXPECT_NE((*present)->id, "");
  const auto absent = runtime_.FindImage("skerry.local/absent:1");
  ASSERT_TRUE(absent.ok()) << absent.status();
  EXPECT_FALSE(absent->has_value());
  const auto folder = runtime_.ImageFolder();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(std::filesystem::is_directory(*folder)) << *folder;
  std::promise<absl::Status> done;
  runtime_.PullImage("127.0.0.1:9/absent:1", {},
                     [&](absl::Status status) { done.set_value(status); });
  EXPECT_FALSE(done.get_future().get().ok());
}

// [edged-7.1]
TEST_P(RuntimeContractTest, LogsAreWholeAndInOrder) {
  const SandboxConfig sandbox = Sandbox("logs");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  Run(*id, sandbox,
      Container("c",
                "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; "
                "head -c 20000 /dev/zero | tr '\\0' x; echo; printf end"));
  Await("logs", "c", State::kExited);
  std::ifstream in(sandbox.log_folder + "/c/0.log");
  std::vector<std::string> texts;
  std::string joined;
  for (std::string line; std::getline(in, line);) {
    // Stamp, stream, tag, text.
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    ASSERT_EQ(parts.size(), 4u) << line;
    EXPECT_EQ(parts[1], "stdout");
    joined += parts[3];
    if (parts[2] == "P") continue;
    texts.push_back(std::exchange(joined, ""));
  }
  if (!joined.empty()) texts.push_back(joined);  // It never ended its last line.
  ASSERT_EQ(texts.size(), 3002u);
  for (int i = 0; i < 3000; ++i) EXPECT_EQ(texts[i], absl::StrCat("line ", i));
  EXPECT_EQ(texts[3000], std::string(20000, 'x'));
  EXPECT_EQ(texts[3001], "end");
}

// [edged-7.4]
TEST_P(RuntimeContractTest, ALogThatWasRenamedGoesOnInANewFile) {
  const SandboxConfig sandbox = Sandbox("rotate");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  const std::string folder = sandbox.log_folder + "/c/";
  ContainerConfig config =
      Container("c", "echo before; while [ ! -e /m/go ]; do sleep 0.02; done; echo after");
  std::filesystem::create_directories(env_.folder + "/rotate");
  config.mounts = {{env_.folder + "/rotate", "/m", true, VolumeMount::Propagation::kNone}};
  const std::string container = Run(*id, sandbox, config);
  const auto has = [&](const std::string& file, const std::string& text) {
    for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;
         absl::SleepFor(absl::Milliseconds(20))) {
      View("rotate");
      if (absl::StrContains(ReadFile(folder + file), text)) return true;
    }
    return false;
  };
  ASSERT_TRUE(has("0.log", " stdout F before\n"));
  std::filesystem::rename(folder + "0.log", folder + "0.log.20260101-000000");
  ASSERT_TRUE(runtime_.ReopenLog(container).ok());
  std::ofstream(env_.folder + "/rotate/go");
  EXPECT_TRUE(has("0.log", " stdout F after\n"));
  EXPECT_THAT(ReadFile(folder + "0.log"), ::testing::Not(HasSubstr("before")));
  Await("rotate", "c", State::kExited);
  EXPECT_FALSE(runtime_.ReopenLog(container).ok());
}

TEST_P(RuntimeContractTest, RunsAsItIsTold) {
  SandboxConfig sandbox = Sandbox("secure");
  sandbox.override_dns = true;
  sandbox.dns.servers = {"10.9.8.7"};
  sandbox.dns.searches = {"a.example", "b.example"};
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config = Container("c", "exec sleep 1000");
  config.security.run_as_user = 1234;
  config.security.run_as_group = 2345;
  config.groups = {3456};
  config.security.read_only_root = true;
  config.security.no_new_privileges = true;
  config.security.drop_capabilities = {"ALL"};
  config.security.add_capabilities = {"NET_BIND_SERVICE"};
  config.working_dir = "/tmp";
  const std::string container = Run(*id, sandbox, config);
  const auto result = Exec(
      container,
      "id; pwd; touch /x 2>/dev/null || echo read-only; grep -E 'NoNewPrivs|CapBnd' "
      "/proc/self/status | tr '\\t' ' '; grep -E '^(nameserver|search) ' /etc/resolv.conf | sort");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output,
            "uid=1234 gid=2345 groups=2345,3456\n/tmp\nread-only\nCapBnd: 0000000000000400\n"
            "NoNewPrivs: 1\nnameserver 10.9.8.7\nsearch a.example b.example\n");
}

TEST_P(RuntimeContractTest, ContainersOfAPodShareNetworkAndIpc) {
  SandboxConfig sandbox = Sandbox("share");
  sandbox.share_pid = true;
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  Run(*id, sandbox, Container("server", "exec httpd -f -p 8080 -h /etc"));
  const std::string client = Run(*id, sandbox, Container("client", "exec sleep 1000"));
  const auto result =
      Exec(client,
           "for i in 1 2 3 4 5 6 7 8 9; do wget -qO- http://127.0.0.1:8080/group && break; "
           "sleep 0.2; done 2>/dev/null; ps | grep -q '[h]ttpd -f' && echo seen");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->output, "root:x:0:\nnogroup:x:65534:\nseen\n");
}

TEST_P(RuntimeContractTest, BadCommandIsAnError) {
  const SandboxConfig sandbox = Sandbox("badcmd");
  const auto id = runtime_.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config = Container("c", "");
  config.command = {"/no/such/program"};
  std::filesystem::create_directories(sandbox.log_folder + "/c");
  const auto container = runtime_.CreateContainer(*id, sandbox, config);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_THAT(std::string(runtime_.StartContainer(*container).message()),
              HasSubstr("no such file"));
  const ContainerView c = Await("badcmd", "c", State::kExited);
  EXPECT_NE(c.exit_code, 0);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RuntimeContractTest);

}  // namespace skerry::edged
