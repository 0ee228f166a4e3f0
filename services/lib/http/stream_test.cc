// Streamed answers over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/http/testing/raw_client.h"

namespace skerry::http {
namespace {

using skerry::testing::CurlClient;
using skerry::testing::Fetch;
using skerry::testing::RawClient;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// A server that opens a stream for every request and hands it to the test.
class StreamTest : public ::testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    auto server = Server::Create(options, [this](Request, std::shared_ptr<Responder> responder) {
      auto stream = responder->Stream(200, {{"Content-Type", "application/json"}});
      absl::MutexLock lock(&mutex_);
      streams_.push_back(std::move(stream));
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::shared_ptr<ResponseStream> WaitForStream(size_t index = 0) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return streams_.size() > index;
    };
    mutex_.Await(absl::Condition(&there));
    return streams_[index];
  }

  absl::Mutex mutex_;
  std::vector<std::shared_ptr<ResponseStream>> streams_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Server> server_;
};

TEST_F(StreamTest, SendsEachChunkAtOnce) {
  Start();
  RawClient client(server_->address());
  client.Send(kGet);
  auto stream = WaitForStream();
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  for (const char* line : {"one\n", "two\n", "three\n"}) {
    ASSERT_TRUE(stream->Write(line));
    EXPECT_THAT(client.ReadUntil("\n\r\n"), EndsWith(absl::StrCat(line, "\r\n")));
  }
  EXPECT_TRUE(stream->Write(""));  // Not the end.
  absl::Notification closed;
  stream->OnClosed([&] { closed.Notify(); });
  stream->End();
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "0\r\n\r\n");
  closed.WaitForNotification();
  EXPECT_FALSE(stream->Write("late"));
  EXPECT_EQ(stream->pending_bytes(), 0u);
  // The connection is used again.
  client.Send(kGet);
  WaitForStream(1)->End();
  EXPECT_THAT(client.ReadUntil("0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(StreamTest, KeepsTheOrderOfAWriter) {
  Start();
  std::string expected;
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&expected, "line ", i, "\n");
  std::thread writer([this] {
    auto stream = WaitForStream();
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(stream->Write(absl::StrCat("line ", i, "\n")));
    stream->End();
  });
  EXPECT_EQ(Fetch({.url = absl::StrCat("http://", server_->address(), "/")}).body, expected);
  writer.join();
}

TEST_F(StreamTest, TellsWhenTheClientIsGone) {
  Start();
  auto client = std::make_unique<RawClient>(server_->address());
  client->Send(kGet);
  auto stream = WaitForStream();
  client->ReadUntil("\r\n\r\n");
  absl::Notification closed;
  stream->OnClosed([&] { closed.Notify(); });
  client.reset();
  EXPECT_TRUE(closed.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_FALSE(stream->Write("x"));
  absl::Notification at_once;
  stream->OnClosed([&] { at_once.Notify(); });
  EXPECT_TRUE(at_once.HasBeenNotified());
}

TEST_F(StreamTest, CutsClientsThatDoNotRead) {
  Start({.stream_pending_bytes_max = 1 << 20});
  RawClient slow(server_->address(), 4096);
  slow.Send(kGet);
  auto stream = WaitForStream();
  RawClient good(server_->address());
  good.Send(kGet);
  auto good_stream = WaitForStream(1);
  absl::Notification closed;
  stream->OnClosed([&] { closed.Notify(); });
  int written = 0;
  while (stream->Write(std::string(50000, 'x')) && written < 10000) {
    ++written;
    EXPECT_LE(stream->pending_bytes(), 1u << 20);
  }
  EXPECT_LT(written, 10000);
  EXPECT_TRUE(closed.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_EQ(server_->stats().streams_cut, 1u);
  // What it reads has no proper end.
  EXPECT_THAT(slow.ReadAll(), ::testing::Not(EndsWith("0\r\n\r\n")));
  ASSERT_TRUE(good_stream->Write("hello\n"));
  EXPECT_THAT(good.ReadUntil("hello\n"), EndsWith("hello\n"));
}

// Many times the pending bound reaches a reader with a receive buffer of 4 KiB.
TEST_F(StreamTest, ASourceThatWaitsForRoomIsNotCut) {
  constexpr size_t kBound = 64 << 10;
  constexpr int kChunks = 100;
  Start({.stream_pending_bytes_max = kBound});
  RawClient slow(server_->address(), 4096);
  slow.Send(kGet);
  auto stream = WaitForStream();
  std::thread source([&] {
    for (int i = 0; i < kChunks; ++i) {
      absl::Notification room;
      stream->WhenRoom([&] { room.Notify(); });
      if (!room.WaitForNotificationWithTimeout(absl::Seconds(20))) break;
      ASSERT_TRUE(stream->HasRoom());
      ASSERT_TRUE(stream->Write(std::string(20000, 'x')));
      ASSERT_LE(stream->pending_bytes(), kBound);
    }
    stream->End();
  });
  EXPECT_GT(slow.ReadUntil("\r\n0\r\n\r\n").size(), kChunks * 20000u);
  source.join();
  EXPECT_EQ(server_->stats().streams_cut, 0u);
}

TEST_F(StreamTest, WaitingForRoomEndsWithTheStream) {
  Start({.stream_pending_bytes_max = 64 << 20});
  auto stalls = std::make_unique<RawClient>(server_->address(), 4096);
  stalls->Send(kGet);
  auto stream = WaitForStream();
  // Far more than the socket's buffers take.
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(stream->Write(std::string(1 << 20, 'x')));
  ASSERT_FALSE(stream->HasRoom());
  auto kept = std::make_shared<int>(0);
  bool called = false;
  stream->WhenRoom([kept, &called] { called = true; });
  absl::Notification closed;
  stream->OnClosed([&] { closed.Notify(); });
  stalls.reset();  // Not a write timeout: it would run while the stream is filled.
  ASSERT_TRUE(closed.WaitForNotificationWithTimeout(absl::Seconds(20)));
  server_->Shutdown(absl::Now());  // The network thread is through with the callback.
  EXPECT_FALSE(called);
  EXPECT_EQ(kept.use_count(), 1);
  stream->WhenRoom([&called] { called = true; });
  EXPECT_FALSE(called);
}

TEST_F(StreamTest, CutsClientsThatStall) {
  Start({.stream_pending_bytes_max = 64 << 20, .write_timeout = absl::Milliseconds(100)});
  RawClient slow(server_->address(), 4096);
  slow.Send(kGet);
  auto stream = WaitForStream();
  absl::Notification closed;
  stream->OnClosed([&] { closed.Notify(); });
  for (int i = 0; i < 300; ++i) stream->Write(std::string(100000, 'x'));
  EXPECT_TRUE(closed.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_EQ(server_->stats().streams_cut, 1u);
}

TEST_F(StreamTest, AnIdleStreamOutlivesEveryTimeout) {
  // The longest is that in which the client itself has to say what it wants.
  Start({.header_timeout = absl::Seconds(1),
         .idle_timeout = absl::Milliseconds(20),
         .write_timeout = absl::Milliseconds(20)});
  RawClient client(server_->address());
  client.Send(kGet);
  auto stream = WaitForStream();
  stream->Write("a\n");
  client.ReadUntil("a\n\r\n");
  // Another client meets the longest meanwhile.
  EXPECT_EQ(RawClient(server_->address()).ReadAll(), "");
  ASSERT_TRUE(stream->Write("b\n"));
  EXPECT_THAT(client.ReadUntil("b\n"), EndsWith("b\n"));
}

TEST_F(StreamTest, ShutdownEndsStreamsProperly) {
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  std::atomic<int> closed = 0;
  for (size_t i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->address()));
    clients.back()->Send(kGet);
    auto stream = WaitForStream(i);
    stream->OnClosed([&] { ++closed; });
    stream->Write("last\n");
  }
  server_->Shutdown(absl::Now() + absl::Seconds(20));
  EXPECT_EQ(closed, 50);
  for (const auto& client : clients)
    EXPECT_THAT(client->ReadAll(), EndsWith("last\n\r\n0\r\n\r\n"));
  EXPECT_FALSE(WaitForStream()->Write("x"));
}

TEST_F(StreamTest, ShutdownDoesNotWaitForAClientThatDoesNotRead) {
  Start({.stream_pending_bytes_max = 64 << 20});
  RawClient slow(server_->address(), 4096);
  slow.Send(kGet);
  auto stream = WaitForStream();
  for (int i = 0; i < 200; ++i) stream->Write(std::string(100000, 'x'));
  server_->Shutdown(absl::Now() + absl::Milliseconds(50));
  EXPECT_FALSE(stream->Write("x"));
}

// Writers, ends, clients that leave and a shutdown, all at once: for the sanitizers.
TEST_F(StreamTest, SurvivesEverythingAtOnce) {
  Start({.stream_pending_bytes_max = 100000});
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        RawClient client(server_->address());
        client.Send(kGet);
        if ((i + t) % 2 == 0) client.ReadUntil("\r\n\r\n");
      }
    });
  }
  threads.emplace_back([&] {
    for (size_t i = 0; !stop; ++i) {
      std::shared_ptr<ResponseStream> stream;
      {
        absl::MutexLock lock(&mutex_);
        if (!streams_.empty()) stream = streams_[i % streams_.size()];
      }
      if (stream == nullptr) continue;
      stream->Write(std::string(1000, 'x'));
      if (i % 7 == 0) stream->End();
    }
  });
  for (int t = 0; t < 4; ++t) threads[static_cast<size_t>(t)].join();
  server_->Shutdown(absl::Now() + absl::Seconds(5));
  stop = true;
  threads.back().join();
}

}  // namespace
}  // namespace skerry::http
