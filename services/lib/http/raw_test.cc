// Connections that a handler takes over, over real sockets; and pipes between them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/lib/base/error.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/raw_client.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/pipe/connector.h"
#include "services/lib/pipe/pipe.h"

namespace skerry::http {
namespace {

using skerry::testing::RawClient;
using ::testing::HasSubstr;

constexpr char kUpgrade[] =
    "POST /exec?command=a%20b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nContent-Length: "
    "0\r\n\r\n";
constexpr char kSwitching[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

absl::StatusOr<std::string> Read(pipe::ByteStream& stream) {
  absl::Notification done;
  absl::StatusOr<std::string> result;
  stream.Read([&](absl::StatusOr<std::string> bytes) {
    result = std::move(bytes);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

absl::Status Write(pipe::ByteStream& stream, std::string bytes) {
  absl::Notification done;
  absl::Status result;
  stream.Write(std::move(bytes), [&](absl::Status status) {
    result = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  return result;
}

class RawTest : public ::testing::Test {
 protected:
  RawTest() { Start({}); }
  void Start(ServerOptions options) {
    options.registry = &registry_;
    server_ = nullptr;
    auto server =
        Server::Create(options, [this](Request request, std::shared_ptr<Responder> responder) {
          absl::MutexLock lock(&mutex_);
          target_ = request.target;
          taken_ = responder->TakeConnection();
          EXPECT_EQ(responder->TakeConnection(), nullptr);
        });
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::shared_ptr<pipe::ByteStream> Taken() {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return taken_ != nullptr; };
    mutex_.Await(absl::Condition(&there));
    return std::exchange(taken_, nullptr);
  }
  std::string target() {
    absl::MutexLock lock(&mutex_);
    return target_;
  }
  std::shared_ptr<pipe::ByteStream> Dial() {
    const std::string address = server_->address();
    uint32_t port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    absl::Notification done;
    std::shared_ptr<pipe::ByteStream> dialled;
    connector_.Connect({.host = "127.0.0.1", .port = static_cast<uint16_t>(port)},
                       absl::Seconds(20),
                       [&](absl::StatusOr<std::shared_ptr<pipe::ByteStream>> stream) {
                         EXPECT_TRUE(stream.ok()) << stream.status();
                         if (stream.ok()) dialled = *std::move(stream);
                         done.Notify();
                       });
    done.WaitForNotification();
    return dialled;
  }

  metrics::Registry registry_{"test"};
  absl::Mutex mutex_;
  std::shared_ptr<pipe::ByteStream> taken_ ABSL_GUARDED_BY(mutex_);
  std::string target_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Server> server_;
  pipe::Connector connector_;
};

TEST_F(RawTest, BytesGoBothWaysAlsoThoseSentAhead) {
  RawClient client(server_->address());
  client.Send(absl::StrCat(kUpgrade, "ahead"));
  auto stream = Taken();
  EXPECT_EQ(target(), "/exec?command=a%20b");
  EXPECT_TRUE(Write(*stream, kSwitching).ok());
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), kSwitching);
  const std::string counts = registry_.Render();
  EXPECT_THAT(counts, HasSubstr("skerry_http_responses_total{code_class=\"1xx\"} 1\n"));
  EXPECT_THAT(counts, HasSubstr("skerry_http_request_seconds_count 1\n"));
  EXPECT_EQ(*Read(*stream), "ahead");
  client.Send("more");
  EXPECT_EQ(*Read(*stream), "more");
  EXPECT_TRUE(Write(*stream, "last").ok());
  stream->Close(absl::OkStatus());
  EXPECT_EQ(client.ReadAll(), "last");
  EXPECT_FALSE(Read(*stream).ok());
  EXPECT_FALSE(Write(*stream, "late").ok());
}

TEST_F(RawTest, TheClientsEndIsAnEmptyRead) {
  RawClient client(server_->address());
  client.Send(kUpgrade);
  auto stream = Taken();
  client.CloseSending();
  EXPECT_EQ(*Read(*stream), "");
  EXPECT_TRUE(Write(*stream, "still here").ok());
  stream->Close(absl::OkStatus());
  EXPECT_EQ(client.ReadAll(), "still here");
}

TEST_F(RawTest, AStreamThatIsLetGoIsCut) {
  RawClient client(server_->address());
  client.Send(kUpgrade);
  Taken().reset();
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(RawTest, AClientThatDoesNotReadIsCut) {
  Start({.taken_write_timeout = absl::Milliseconds(50)});
  RawClient client(server_->address(), 4096);
  client.Send(kUpgrade);
  auto stream = Taken();
  absl::Notification read_done;
  absl::Status read;
  stream->Read([&](absl::StatusOr<std::string> bytes) {
    read = bytes.status();
    read_done.Notify();
  });
  absl::Status written;
  for (int i = 0; i < 10000 && written.ok(); ++i)
    written = Write(*stream, std::string(pipe::ByteStream::kChunkBytesMax, 'x'));
  EXPECT_EQ(written.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(GetErrorInfo(written).reason, "CLIENT_STALLED");
  read_done.WaitForNotification();
  EXPECT_EQ(read, written);
  EXPECT_FALSE(Write(*stream, "more").ok());
  server_->Shutdown(absl::InfiniteFuture());  // It has no connection left to wait for.
  EXPECT_EQ(server_->stats().streams_cut, 1u);
  EXPECT_THAT(registry_.Render(), HasSubstr("skerry_http_streams_cut_total 1\n"));
}

// What was written must go before it may end in order.
TEST_F(RawTest, AClientThatDoesNotReadTheLastIsCut) {
  Start({.taken_write_timeout = absl::Milliseconds(50)});
  RawClient client(server_->address(), 4096);
  client.Send(kUpgrade);
  auto stream = Taken();
  absl::Notification done;
  absl::Status written;
  stream->Write(std::string(64 << 20, 'x'), [&](absl::Status status) {
    written = std::move(status);
    done.Notify();
  });
  stream->Close(absl::OkStatus());
  done.WaitForNotification();
  EXPECT_EQ(written.code(), absl::StatusCode::kDeadlineExceeded);
  server_->Shutdown(absl::InfiniteFuture());
}

TEST_F(RawTest, APauseWithNothingToReadOutlivesEveryTimeout) {
  // The longest is that in which the client itself has to say what it wants.
  Start({.header_timeout = absl::Seconds(1),
         .idle_timeout = absl::Milliseconds(20),
         .write_timeout = absl::Milliseconds(20),
         .taken_write_timeout = absl::Milliseconds(20)});
  RawClient client(server_->address());
  client.Send(kUpgrade);
  auto stream = Taken();
  EXPECT_TRUE(Write(*stream, "a\n").ok());
  EXPECT_EQ(client.ReadUntil("\n"), "a\n");
  // Another client meets the longest meanwhile.
  EXPECT_EQ(RawClient(server_->address()).ReadAll(), "");
  EXPECT_TRUE(Write(*stream, "b\n").ok());
  EXPECT_EQ(client.ReadUntil("\n"), "b\n");
}

TEST_F(RawTest, ShutdownAnswersWhoWaits) {
  RawClient client(server_->address());
  client.Send(kUpgrade);
  auto stream = Taken();
  absl::Notification done;
  absl::Status status;
  stream->Read([&](absl::StatusOr<std::string> bytes) {
    status = bytes.status();
    done.Notify();
  });
  server_->Shutdown(absl::InfiniteFuture());
  done.WaitForNotification();
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(Read(*stream).ok());
}

// Two clients joined through two connections: each byte arrives, in order, both ways.
TEST_F(RawTest, APipeCarriesMuchBothWays) {
  RawClient left_client(server_->address()), right_client(server_->address());
  left_client.Send(kUpgrade);
  auto left = Taken();
  right_client.Send(kUpgrade);
  auto right = Taken();
  absl::Notification ended;
  pipe::Join(left, right, [&](absl::Status status) {
    EXPECT_TRUE(status.ok()) << status;
    ended.Notify();
  });
  std::string much;
  for (int i = 0; i < 300000; ++i) absl::StrAppend(&much, "line ", i, "\n");
  std::thread back([&] { right_client.Send("to the left\n"); });
  std::thread sender([&] {
    left_client.Send(much);
    left_client.Send("#");
  });
  EXPECT_EQ(right_client.ReadUntil("#"), much + "#");
  EXPECT_EQ(left_client.ReadUntil("\n"), "to the left\n");
  sender.join();
  back.join();
  left_client.CloseSending();
  ended.WaitForNotification();
  EXPECT_EQ(right_client.ReadAll(), "");
}

TEST_F(RawTest, AConnectorsStreamIsTheOtherEnd) {
  auto client = Dial();
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(Write(*client, kUpgrade).ok());
  auto stream = Taken();
  EXPECT_TRUE(Write(*stream, "hello").ok());
  EXPECT_EQ(*Read(*client), "hello");
  client->Close(absl::OkStatus());
  EXPECT_EQ(*Read(*stream), "");
  EXPECT_FALSE(Read(*client).ok());
}

TEST(ConnectorTest, SaysWhatItCannotReach) {
  pipe::Connector connector;
  absl::Notification done;
  absl::Status status;
  connector.Connect({.host = "127.0.0.1", .port = 1}, absl::Seconds(20),
                    [&](absl::StatusOr<std::shared_ptr<pipe::ByteStream>> stream) {
                      status = stream.status();
                      done.Notify();
                    });
  done.WaitForNotification();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("dial tcp 127.0.0.1:1"));
}

}  // namespace
}  // namespace skerry::http
