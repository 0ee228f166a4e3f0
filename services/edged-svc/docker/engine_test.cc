// DockerEngine against peers that a Docker never is: silent, gone, or talking nonsense.
#include "services/edged-svc/docker/engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
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

// A peer that never stops, in what is not of a body: the call's time is far away.
TEST_F(EngineTest, HeadersAndHeadsOfChunksHaveABound) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const struct {
    std::string begin, again;
  } kEndless[] = {{"HTTP/1.1 200 OK\r\n", "X: 1\r\n"},
                  {"HTTP/1.1 200 OK\r\nX: ", "x"},
                  {chunked + "1;", "x"},
                  {chunked + "0\r\n", "X: 1\r\n"}};
  for (const auto& endless : kEndless) {
    UnixPeer peer(path_, [&endless](int fd) {
      UnixPeer::ReadHead(fd);
      UnixPeer::Write(fd, endless.begin);
      std::string many;
      for (int i = 0; i < 1000; ++i) many += endless.again;
      // Some MiB, and then no end.
      for (int i = 0; i < 10000; ++i) UnixPeer::Write(fd, many);
      UnixPeer::ReadUntilItEnds(fd);
    });
    DockerEngine engine(path_, "test");
    EXPECT_EQ(engine.Call({.target = "/x", .timeout = absl::Minutes(10)}).status().code(),
              absl::StatusCode::kResourceExhausted)
        << endless.begin;
    unlink(path_.c_str());
  }
}

TEST_F(EngineTest, ABodyComesInPieces) {
  UnixPeer peer(path_, [](int fd) {
    UnixPeer::ReadHead(fd);
    UnixPeer::Write(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    UnixPeer::ReadUntilItEnds(fd);
  });
  DockerEngine engine(path_, "test");
  std::promise<absl::Status> ended;
  std::string body;
  engine.Read(
      {.target = "/x", .endless = true},
      [&body](absl::string_view piece) {
        absl::StrAppend(&body, piece);
        return body.size() < 5;
      },
      [&ended](absl::Status status) { ended.set_value(std::move(status)); });
  EXPECT_EQ(ended.get_future().get().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(body, "hello");
}

TEST_F(EngineTest, WhatFollowsAnUpgradeIsOfTheStream) {
  UnixPeer peer(path_, [](int fd) {
    UnixPeer::ReadHead(fd);
    UnixPeer::Write(fd, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\nraw");
    UnixPeer::ReadUntilItEnds(fd);
  });
  DockerEngine engine(path_, "test");
  std::promise<absl::StatusOr<std::string>> first;
  engine.Open({.method = "POST", .target = "/x"}, [&first](auto stream) {
    if (!stream.ok()) return first.set_value(stream.status());
    (*stream)->Read([&first, keep = *stream](absl::StatusOr<std::string> bytes) {
      first.set_value(std::move(bytes));
    });
  });
  const absl::StatusOr<std::string> bytes = first.get_future().get();
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, "raw");
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

TEST_F(EngineTest, CallsCanBeEndedBeforeTheEngine) {
  absl::Notification asked;
  UnixPeer peer(path_, [&asked](int fd) {
    UnixPeer::ReadHead(fd);
    asked.Notify();
    UnixPeer::ReadUntilItEnds(fd);
  });
  DockerEngine engine(path_, "test");
  absl::Status ended;
  engine.Call({.target = "/x", .timeout = absl::Minutes(10)},
              [&ended](absl::StatusOr<std::string> answer) { ended = answer.status(); });
  asked.WaitForNotification();
  engine.EndCalls();
  EXPECT_EQ(ended.code(), absl::StatusCode::kCancelled) << "it was waited for";
  EXPECT_EQ(engine.Call({.target = "/x"}).status().code(), absl::StatusCode::kCancelled);
  engine.EndCalls();
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
