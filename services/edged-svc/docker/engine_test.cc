// DockerEngine against peers that a Docker never is: silent, gone, or talking nonsense.
#include "services/edged-svc/docker/engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "services/edged-svc/testing/unix_peer.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  // Answers every request with these bytes.
  absl::Status Answer(const std::string& bytes) {
    UnixPeer peer(path_, [&bytes](int fd) {
      UnixPeer::ReadHead(fd);
      UnixPeer::Write(fd, bytes);
    });
    DockerEngine engine(path_, "test");
    const absl::Status status = engine.Call({.target = "/x"}).status();
    unlink(path_.c_str());
    return status;
  }

  skerry::testing::TempDir temp_;
  const std::string path_ = temp_.File("docker.sock");
};

TEST_F(EngineTest, WhatIsNoAnswerIsUnavailable) {
  for (const char* bytes :
       {"", "no HTTP\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfew",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_EQ(Answer(bytes).code(), absl::StatusCode::kUnavailable) << bytes;
  }
}

TEST_F(EngineTest, WhatDockerSaysIsTheMessage) {
  const absl::Status status =
      Answer("HTTP/1.1 409 Conflict\r\nContent-Length: 22\r\n\r\n{\"message\":\"in use\"}  ");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "in use");
  EXPECT_EQ(Answer("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops").message(),
            "Docker answered 500");
}

TEST_F(EngineTest, AnAnswerHasABound) {
  std::string bytes = "HTTP/1.1 200 OK\r\n\r\n";
  bytes.append(DockerEngine::kAnswerBytesMax + 1, 'x');
  UnixPeer peer(path_, [&bytes](int fd) {
    UnixPeer::ReadHead(fd);
    UnixPeer::Write(fd, bytes);
  });
  DockerEngine engine(path_, "test");
  EXPECT_EQ(engine.Call({.target = "/x"}).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(EngineTest, SilenceHasADeadline) {
  UnixPeer peer(path_, UnixPeer::ReadUntilItEnds);
  DockerEngine engine(path_, "test");
  EXPECT_EQ(engine.Call({.target = "/x", .timeout = absl::Milliseconds(50)}).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

// Asio keeps what the own thread posts apart until its handler has ended: so this call begins after
// the engine's end has cut what was open.
TEST_F(EngineTest, ACallThatBeginsBehindTheEndIsCutToo) {
  UnixPeer peer(path_, UnixPeer::ReadUntilItEnds);
  auto engine = std::make_unique<DockerEngine>(path_, "test");
  absl::Notification inside;
  std::promise<absl::Status> ended;
  DockerEngine& used = *engine;
  used.After(absl::ZeroDuration(), [&](const absl::Status&) {
    used.Call({.target = "/x", .timeout = absl::Minutes(10)},
              [&](absl::StatusOr<std::string> answer) { ended.set_value(answer.status()); });
    inside.Notify();
    // Until the end has begun, which refuses new work.
    for (bool refused = false; !refused;) {
      used.After(absl::InfiniteDuration(),
                 [&refused](const absl::Status& status) { refused = absl::IsCancelled(status); });
    }
  });
  inside.WaitForNotification();
  engine.reset();
  EXPECT_EQ(ended.get_future().get().code(), absl::StatusCode::kCancelled);
}

TEST_F(EngineTest, APauseThatIsCutIsTold) {
  auto engine = std::make_unique<DockerEngine>(path_, "test");
  std::promise<absl::Status> ended;
  engine->After(absl::Hours(1), [&](const absl::Status& status) { ended.set_value(status); });
  engine.reset();
  EXPECT_EQ(ended.get_future().get().code(), absl::StatusCode::kCancelled);
}

// It is no container's: its network is not entered.
TEST_F(EngineTest, AnotherProcessesNetworkIsNotEntered) {
  DockerEngine engine(path_, "test");
  std::promise<absl::Status> ended;
  engine.ConnectInside("0123abcd", static_cast<uint32_t>(getpid()), 9, absl::Seconds(10),
                       [&](const auto& stream) { ended.set_value(stream.status()); });
  const absl::Status status = ended.get_future().get();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(status.message()).find("not the pod's"), std::string::npos) << status;
}

TEST(EscapeForTargetTest, KeepsWhatImagesAreMadeOf) {
  EXPECT_EQ(EscapeForTarget("a.b:5000/c_d@sha256:1"), "a.b:5000/c_d@sha256:1");
  EXPECT_EQ(EscapeForTarget("{\"a b\"}?&%"), "%7b%22a%20b%22%7d%3f%26%25");
}

}  // namespace
}  // namespace skerry::edged
