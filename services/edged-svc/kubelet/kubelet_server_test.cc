// The kubelet's API over a stream whose other end is the test, with a runtime that streams over
// HTTP.
#include "services/edged-svc/kubelet/kubelet_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/testing/fake_runtime.h"
#include "services/lib/http/server.h"
#include "services/lib/pipe/testing/fake_stream.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using pipe::testing::FakeStream;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSwitching[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

// One running pod "ns/web" with the container "app".
class KubeletServerTest : public ::testing::Test {
 protected:
  KubeletServerTest() {
    PodSpec spec;
    spec.name_space = "ns";
    spec.name = "web";
    spec.uid = "u1";
    spec.containers.emplace_back();
    spec.containers.back().name = "app";
    pod_.pod = std::make_shared<const PodSpec>(std::move(spec));
    pod_.view.sandboxes = {{.id = "sandbox", .ready = true}};
    ContainerView view;
    view.id = "c1";
    view.sandbox_id = "sandbox";
    view.name = "app";
    view.state = ContainerView::State::kRunning;
    pod_.view.containers = {view};
    const std::string folder = folders_.LogFolder(*pod_.pod) + "/app";
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/0.log") << "2024-05-01T10:00:00Z stdout F hello\n";
    kubelet_ = std::make_unique<KubeletServer>(
        KubeletServer::Deps{runtime_, folders_, pool_, timers_, clock_, log::Logger::Null()},
        [this](const std::string& key) {
          return key == "ns/web" ? std::optional<PodManager::PodState>(pod_) : std::nullopt;
        });
  }
  ~KubeletServerTest() override {
    pool_.Stop();
    timers_.Stop();
  }

  // What a request is answered with, to the end.
  std::string Answer(const std::string& target, const std::string& method = "GET") {
    auto client = std::make_shared<FakeStream>();
    kubelet_->Serve(client);
    client->Say(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client->AwaitClosed();
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  const PodFolders folders_{folder_.File("root"), folder_.File("logs")};
  FakeRuntime runtime_;
  exec::SerialExecutor timers_{"timers", clock_};
  exec::ThreadPool pool_{"streams", 2, 8};
  PodManager::PodState pod_;
  std::unique_ptr<KubeletServer> kubelet_;
};

TEST_F(KubeletServerTest, ServesLogs) {
  EXPECT_THAT(Answer("/containerLogs/ns/web/app?tailLines=5"),
              EndsWith("6\r\nhello\n\r\n0\r\n\r\n"));
}

TEST_F(KubeletServerTest, SaysItsHealth) {
  EXPECT_THAT(Answer("/healthz"), EndsWith("\r\n\r\nok"));
}

TEST_F(KubeletServerTest, RefusesInTheKubeletsWords) {
  EXPECT_THAT(Answer("/nothing"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Answer("/containerLogs/ns/no/app"), HasSubstr("pod \"no\" does not exist"));
  EXPECT_THAT(Answer("/containerLogs/ns/web/no"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Answer("/containerLogs/ns/web/app?previous=true"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Answer("/containerLogs/ns/web/app?tailLines=x"), HasSubstr("tailLines"));
  EXPECT_THAT(Answer("/exec/ns/no/app?output=1", "POST"), HasSubstr("pod does not exist"));
  EXPECT_THAT(Answer("/exec/ns/web/no?output=1", "POST"), HasSubstr("container not found"));
  EXPECT_THAT(Answer("/exec/ns/web/app", "POST"), StartsWith("HTTP/1.1 400 "));
  auto client = std::make_shared<FakeStream>();
  kubelet_->Serve(client);
  client->Say("hello\r\n\r\n");
  EXPECT_THAT(client->AwaitClosed(), StartsWith("HTTP/1.1 400 "));
}

TEST_F(KubeletServerTest, ARuntimeThatRefusesOrIsAwayIsAnError) {
  EXPECT_THAT(Answer("/exec/ns/web/app?output=1", "POST"), HasSubstr("not in this test"));
  runtime_.open_stream = [](const StreamRequest&) {
    return std::string("http://127.0.0.1:1/exec/x");
  };
  EXPECT_THAT(Answer("/exec/ns/web/app?output=1", "POST"), StartsWith("HTTP/1.1 500 "));
  runtime_.open_stream = [](const StreamRequest&) { return std::string("unix:/x"); };
  EXPECT_THAT(Answer("/exec/ns/web/app?output=1", "POST"), HasSubstr("no HTTP address"));
}

// [edged-7.2]
TEST_F(KubeletServerTest, StreamsPassUntouched) {
  absl::Mutex mutex;
  http::Request request;
  std::shared_ptr<pipe::ByteStream> stream;
  auto server = http::Server::Create(
      {}, [&](http::Request received, std::shared_ptr<http::Responder> responder) {
        absl::MutexLock lock(&mutex);
        request = std::move(received);
        stream = responder->TakeConnection();
        stream->Write(kSwitching, [](absl::Status) {});
        stream->Read([&](absl::StatusOr<std::string> bytes) {
          absl::MutexLock inner(&mutex);
          stream->Write("echo: " + bytes.value_or("error"),
                        [&](absl::Status status) { stream->Close(std::move(status)); });
        });
      });
  ASSERT_TRUE(server.ok()) << server.status();
  StreamRequest asked;
  runtime_.open_stream = [&](const StreamRequest& r) {
    asked = r;
    return absl::StrCat("http://", (*server)->address(), "/exec/token");
  };
  auto client = std::make_shared<FakeStream>();
  kubelet_->Serve(client);
  client->Say(
      "POST /exec/ns/web/app?command=sh&input=1&output=1 HTTP/1.1\r\nHost: kubelet\r\n"
      "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n");
  client->AwaitOutput(kSwitching);
  client->Say("ping");
  EXPECT_EQ(client->AwaitClosed(), absl::StrCat(kSwitching, "echo: ping"));
  absl::MutexLock lock(&mutex);
  EXPECT_EQ(asked.id, "c1");
  EXPECT_EQ(asked.command, std::vector<std::string>{"sh"});
  EXPECT_EQ(request.target, "/exec/token");
  EXPECT_EQ(request.Header("upgrade"), "SPDY/3.1");
  EXPECT_EQ(request.Header("host"), (*server)->address());
}

}  // namespace
}  // namespace skerry::edged
