// DockerStreams on a real Docker Engine. Tagged "local": it needs root and namespaces.
#include "services/edged-svc/docker/docker_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "services/edged-svc/docker/docker_runtime.h"
#include "services/edged-svc/testing/private_dockerd.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {
namespace {

using Kind = StreamRequest::Kind;

// One pod for all tests: what it runs is a shell that says what it reads, and a server that listens
// on its localhost alone.
class DockerStreamsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dockerd_ = std::make_unique<PrivateDockerd>();
    auto runtime = DockerRuntime::Create({.endpoint = dockerd_->endpoint(),
                                          .sandbox_image = PrivateDockerd::sandbox_image(),
                                          .restrict_oom_score_adj = true},
                                         clock_, log::Logger::Null());
    ASSERT_TRUE(runtime.ok()) << runtime.status();
    runtime_ = *std::move(runtime);
    SandboxConfig sandbox;
    sandbox.name_space = "ns";
    sandbox.name = sandbox.hostname = sandbox.uid = "streams";
    sandbox.log_folder = dockerd_->folder() + "/pod-logs";
    sandbox.cgroup_parent = dockerd_->cgroup();
    std::filesystem::create_directories(sandbox.log_folder + "/c");
    const auto sandbox_id = runtime_->RunSandbox(sandbox);
    ASSERT_TRUE(sandbox_id.ok()) << sandbox_id.status();
    sandbox_id_ = *sandbox_id;
    ContainerConfig config;
    config.name = "c";
    config.image = config.image_id = PrivateDockerd::image();
    config.command = {"sh", "-c",
                      "httpd -p 127.0.0.1:8080 -h /etc; while read -r x; do echo got $x; done"};
    config.stdin_open = true;
    config.log_path = "c/0.log";
    Start(sandbox, config, id_);
    config.name = "terminal";
    config.command = {"sh", "-c", "stty -ixon; while read -r x; do echo got $x; done"};
    config.tty = true;
    config.log_path = "c/1.log";
    Start(sandbox, config, terminal_id_);
  }
  static void Start(const SandboxConfig& sandbox, const ContainerConfig& config, std::string& id) {
    const auto created = runtime_->CreateContainer(sandbox_id_, sandbox, config);
    ASSERT_TRUE(created.ok()) << created.status();
    id = *created;
    ASSERT_TRUE(runtime_->StartContainer(id).ok());
  }
  static void TearDownTestSuite() {
    EXPECT_TRUE(runtime_->RemoveSandbox(sandbox_id_).ok());
    runtime_.reset();
    dockerd_.reset();
  }

  std::shared_ptr<ContainerIo> Exec(const std::string& script, bool tty = false) {
    StreamRequest request{Kind::kExec, id_, {"sh", "-c", script}, tty, true, true, !tty, {}};
    auto io = streams_.Open(request);
    EXPECT_TRUE(io.ok()) << io.status();
    return *std::move(io);
  }
  static absl::StatusOr<ContainerOutput> Read(ContainerIo& io) {
    std::promise<absl::StatusOr<ContainerOutput>> read;
    io.Read([&](absl::StatusOr<ContainerOutput> output) { read.set_value(std::move(output)); });
    return read.get_future().get();
  }
  // Until the output ends, or has `text`.
  static std::string ReadAll(ContainerIo& io, ContainerOutput::From from,
                             const std::string& text = "") {
    std::string out;
    while (true) {
      const auto output = Read(io);
      EXPECT_TRUE(output.ok()) << output.status();
      if (!output.ok() || output->bytes.empty()) return out;
      if (output->from == from) out += output->bytes;
      if (!text.empty() && absl::StrContains(out, text)) return out;
    }
  }
  static absl::Status Write(ContainerIo& io, std::string bytes) {
    std::promise<absl::Status> written;
    io.Write(std::move(bytes), [&](absl::Status status) { written.set_value(status); });
    return written.get_future().get();
  }
  static absl::StatusOr<int> Wait(ContainerIo& io) {
    std::promise<absl::StatusOr<int>> code;
    io.Wait([&](absl::StatusOr<int> result) { code.set_value(result); });
    return code.get_future().get();
  }
  absl::StatusOr<std::shared_ptr<pipe::ByteStream>> Connect(uint16_t port) {
    std::promise<absl::StatusOr<std::shared_ptr<pipe::ByteStream>>> opened;
    streams_.ConnectPort(sandbox_id_, port, [&](auto stream) { opened.set_value(stream); });
    return opened.get_future().get();
  }

  static inline SystemClock clock_;
  static inline std::unique_ptr<PrivateDockerd> dockerd_;
  static inline std::unique_ptr<DockerRuntime> runtime_;
  static inline std::string sandbox_id_, id_, terminal_id_;
  DockerEngine engine_{dockerd_->endpoint().substr(7), "docker"};
  DockerStreams streams_{engine_};
};

TEST_F(DockerStreamsTest, ACommandReadsWritesAndEnds) {
  const auto io = Exec("cat; echo to stderr >&2; exit 7");
  const std::string text(100'000, 'x');
  for (size_t i = 0; i < text.size(); i += 10'000)
    ASSERT_TRUE(Write(*io, text.substr(i, 10'000)).ok());
  ASSERT_TRUE(Write(*io, "\n").ok());
  io->CloseInput();
  EXPECT_EQ(ReadAll(*io, ContainerOutput::From::kStdout), text + "\n");
  const auto code = Wait(*io);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 7);
}

TEST_F(DockerStreamsTest, ErrorsAreApartFromOutput) {
  const auto io = Exec("echo out; echo err >&2");
  EXPECT_EQ(ReadAll(*io, ContainerOutput::From::kStderr), "err\n");
}

TEST_F(DockerStreamsTest, ATerminalHasASize) {
  const auto io = Exec("while true; do stty size; sleep 0.1; done", true);
  io->Resize(99, 33);
  EXPECT_THAT(ReadAll(*io, ContainerOutput::From::kStdout, "33 99"), ::testing::HasSubstr("33 99"));
  io->Close();
  EXPECT_FALSE(Read(*io).ok());
}

TEST_F(DockerStreamsTest, AttachIsTheContainersOwnInputAndOutput) {
  auto io = streams_.Open({Kind::kAttach, id_, {}, false, true, true, true, {}});
  ASSERT_TRUE(io.ok()) << io.status();
  ASSERT_TRUE(Write(**io, "hello\n").ok());
  EXPECT_EQ(ReadAll(**io, ContainerOutput::From::kStdout, "\n"), "got hello\n");
  EXPECT_EQ(*Wait(**io), 0);
}

// [edged-10.7] Docker's own keys to detach are two that people press: "the line before" and "insert
// as it is".
TEST_F(DockerStreamsTest, ATerminalTakesEveryKey) {
  // NUL is followed by none of the keys after it in kDetachKeys: where those come as one, Docker
  // passes them on twice.
  const std::string keys("\x10\x11\x1e\x1f\x1d\x00\x7f", 7);
  const auto io = Exec("stty raw -echo; echo ready; head -c 8 | od -An -tx1; exit 3", true);
  ReadAll(*io, ContainerOutput::From::kStdout, "ready");
  for (const char key : keys) ASSERT_TRUE(Write(*io, std::string(1, key)).ok());
  ASSERT_TRUE(Write(*io, "x").ok());
  EXPECT_THAT(ReadAll(*io, ContainerOutput::From::kStdout),
              ::testing::HasSubstr(" 10 11 1e 1f 1d 00 7f 78"));
  EXPECT_EQ(*Wait(*io), 3);

  auto attached = streams_.Open({Kind::kAttach, terminal_id_, {}, true, true, true, false, {}});
  ASSERT_TRUE(attached.ok()) << attached.status();
  for (const char* key : {"\x10", "\x11", "x", "\n"}) ASSERT_TRUE(Write(**attached, key).ok());
  EXPECT_THAT(ReadAll(**attached, ContainerOutput::From::kStdout, "got "),
              ::testing::HasSubstr("got "));
}

TEST_F(DockerStreamsTest, APortOnThePodsLocalhost) {
  auto stream = Connect(8080);
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::promise<absl::Status> written;
  (*stream)->Write("GET /group HTTP/1.0\r\n\r\n",
                   [&](absl::Status status) { written.set_value(status); });
  ASSERT_TRUE(written.get_future().get().ok());
  std::string answer;
  while (true) {
    std::promise<absl::StatusOr<std::string>> read;
    (*stream)->Read([&](absl::StatusOr<std::string> bytes) { read.set_value(std::move(bytes)); });
    const auto bytes = read.get_future().get();
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    if (bytes->empty()) break;
    answer += *bytes;
  }
  EXPECT_TRUE(absl::EndsWith(answer, "root:x:0:\nnogroup:x:65534:\n")) << answer;
  (*stream)->Close(absl::OkStatus());
}

TEST_F(DockerStreamsTest, WhatIsNotThereIsAnError) {
  EXPECT_EQ(Connect(9).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(streams_.Open({Kind::kExec, "nothing", {"true"}, false, false, true, true, {}})
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  const auto io = Exec("/no/such/program");
  ReadAll(*io, ContainerOutput::From::kStdout);
  EXPECT_EQ(*Wait(*io), 127);
}

}  // namespace
}  // namespace skerry::edged
