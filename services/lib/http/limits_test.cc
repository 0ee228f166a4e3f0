// What the server does at each of its bounds, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/http/testing/raw_client.h"

namespace skerry::http {
namespace {

using skerry::testing::CurlAnswer;
using skerry::testing::CurlClient;
using skerry::testing::Fetch;
using skerry::testing::RawClient;
using ::testing::StartsWith;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// Answers with what it got.
void Echo(Request request, std::shared_ptr<Responder> responder) {
  responder->Send(
      {.status = 201,
       .headers = {{"Content-Type", "text/plain"}, {"X-Token", request.Header("x-token")}},
       .body = absl::StrCat(request.method, " ", request.path, " ",
                            request.Query("a").value_or("-"), " ", request.body.size())});
}

std::unique_ptr<Server> Start(Handler handler, const ServerOptions& options = {}) {
  auto server = Server::Create(options, std::move(handler));
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

std::string Url(const Server& server, absl::string_view path = "/") {
  return absl::StrCat("http://", server.address(), path);
}

bool WaitUntil(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// Neither are of the body, nor of its headers.
TEST(LimitsTest, RefusesEndlessHeadsOfChunksAndTrailers) {
  auto server = Start(Echo, {.header_bytes_max = 2000});
  for (const char* begin : {"5;", "0\r\nX: "}) {
    RawClient client(server->address());
    client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.Send(absl::StrCat(begin, std::string(20000, 'x')));
    EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 431 ")) << begin;
  }
}

TEST(LimitsTest, RefusesWhatIsTooBig) {
  auto server = Start(Echo, {.body_bytes_max = 1000, .header_bytes_max = 2000});
  EXPECT_EQ(Fetch({.url = Url(*server), .method = "POST", .body = std::string(1000, 'x')}).status,
            201);
  // The answer arrives although the client is still sending.
  EXPECT_EQ(
      Fetch({.url = Url(*server), .method = "POST", .body = std::string(5 << 20, 'x')}).status,
      413);
  EXPECT_EQ(Fetch({.url = Url(*server),
                   .method = "POST",
                   .body = std::string(5 << 20, 'x'),
                   .headers = {"Expect:"}})
                .status,
            413);
  EXPECT_EQ(Fetch({.url = Url(*server), .headers = {"X: " + std::string(3000, 'x')}}).status, 431);
  EXPECT_EQ(Fetch({.url = Url(*server, "/" + std::string(3000, 'x'))}).status, 431);
  RawClient chunked(server->address());
  chunked.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 30; ++i) chunked.Send(absl::StrCat("64\r\n", std::string(100, 'x'), "\r\n"));
  EXPECT_THAT(chunked.ReadAll(), StartsWith("HTTP/1.1 413"));
  RawClient endless(server->address());
  while (endless.Send(std::string(1000, 'A'))) {
  }
  EXPECT_EQ(Fetch({.url = Url(*server)}).status, 201);
}

TEST(LimitsTest, BoundsTheBytesOfAllBodies) {
  auto server = Start(Echo, {.body_bytes_max = 1000, .bodies_bytes_max = 1500});
  RawClient first(server->address());
  first.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
  first.Send(std::string(899, 'x'));
  // Until the first one's body was read there is room, of which this takes none.
  EXPECT_TRUE(WaitUntil([&] {
    RawClient second(server->address());
    second.Send(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n");
    return absl::StartsWith(second.ReadUntil("\r\n\r\n"), "HTTP/1.1 503");
  }));
  RawClient chunked(server->address());
  chunked.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  chunked.Send(absl::StrCat("2bc\r\n", std::string(700, 'x'), "\r\n"));
  EXPECT_THAT(chunked.ReadAll(), StartsWith("HTTP/1.1 503"));
  first.Send("x");
  EXPECT_THAT(first.ReadUntil("900"), StartsWith("HTTP/1.1 201"));
  EXPECT_EQ(Fetch({.url = Url(*server), .method = "POST", .body = std::string(900, 'x')}).status,
            201);
}

TEST(LimitsTest, ABodyThatDoesNotComeTakesNoRoom) {
  auto server = Start(Echo, {.body_bytes_max = 1000, .bodies_bytes_max = 1500});
  std::vector<std::unique_ptr<RawClient>> silent;
  for (const char* kind : {"Content-Length: 900", "Transfer-Encoding: chunked"}) {
    for (int i = 0; i < 10; ++i) {
      silent.push_back(std::make_unique<RawClient>(server->address()));
      silent.back()->Send(
          absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n", kind, "\r\n\r\n"));
      EXPECT_THAT(silent.back()->ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100"));
    }
  }
  EXPECT_EQ(Fetch({.url = Url(*server), .method = "POST", .body = std::string(1000, 'x')}).status,
            201);
}

TEST(LimitsTest, BoundsTheBytesOfAnswersThatAreNotRead) {
  // More than the buffers of a socket take.
  auto server = Start(
      [](Request request, std::shared_ptr<Responder> responder) {
        responder->Send(
            {.body = std::string(request.path == "/large" ? 16u << 20 : 64u << 10, 'x')});
      },
      {.answers_bytes_max = 40u << 20});
  std::vector<std::unique_ptr<RawClient>> stalled;
  for (int i = 0; i < 2; ++i) {
    stalled.push_back(std::make_unique<RawClient>(server->address(), 4096));
    stalled.back()->Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(stalled.back()->ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  }
  CurlAnswer dropped = Fetch({.url = Url(*server, "/large")});
  EXPECT_EQ(dropped.status, 503);
  EXPECT_EQ(dropped.headers["retry-after"], "1");
  // It was done, and clients that are told to try again do so by themselves.
  dropped = Fetch({.url = Url(*server, "/large"), .method = "POST", .body = "x"});
  EXPECT_EQ(dropped.status, 500);
  EXPECT_EQ(dropped.headers.count("retry-after"), 0u);
  EXPECT_EQ(server->stats().answers_dropped, 2u);
  EXPECT_EQ(Fetch({.url = Url(*server, "/small")}).status, 200);
  EXPECT_EQ(Fetch({.url = Url(*server, "/large"), .method = "HEAD"}).status, 200);
  // Room that is given back, by one who leaves.
  stalled.pop_back();
  EXPECT_TRUE(
      WaitUntil([&] { return Fetch({.url = Url(*server, "/large")}).body.size() == 16u << 20; }));
  EXPECT_EQ(Fetch({.url = Url(*server, "/large")}).status, 200);
}

TEST(LimitsTest, WhoReadsAnAnswerALittleAtATimeKeepsItFromNobody) {
  constexpr size_t kBytes = 32u << 20;
  auto server = Start(
      [](Request, std::shared_ptr<Responder> responder) {
        responder->Send({.body = std::string(kBytes, 'x')});
      },
      {.write_timeout = absl::Seconds(1), .answers_bytes_max = kBytes + 1});
  RawClient slow(server->address(), 4096);
  slow.Send(kGet);
  slow.ReadUntil("\r\n\r\n");
  EXPECT_EQ(Fetch({.url = Url(*server)}).status, 503);
  size_t read = 0;
  EXPECT_TRUE(WaitUntil([&] {
    read += slow.ReadUntil(std::string(100000, 'x')).size();
    return Fetch({.url = Url(*server)}).body.size() == kBytes;
  }));
  EXPECT_LT(read + slow.ReadAll().size(), kBytes);
}

// It could else fill the memory while the 100 (Continue) that it asked for waits to be written.
TEST(LimitsTest, WhoDoesNotReadIsSoonNotRead) {
  auto server = Start(Echo, {.write_timeout = absl::Seconds(2)});
  // The buffers of the sockets are full at an answer or at a 100, by chance.
  for (size_t i = 0; i < 3; ++i) {
    RawClient client(server->address(), 4096);
    const std::string request = absl::StrCat("POST /", std::string(i, 'x'),
                                             " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                             "Content-Length: 1\r\n\r\nx");
    std::string batch;
    while (batch.size() < (64u << 10)) batch += request;
    size_t sent = 0;
    while (sent < (96u << 20) && client.Send(batch)) sent += batch.size();
    EXPECT_LT(sent, 64u << 20) << i;
  }
}

TEST(LimitsTest, OneAnswerAloneMayBeLargerThanTheBound) {
  auto server = Start(
      [](Request, std::shared_ptr<Responder> responder) {
        responder->Send({.body = std::string(1u << 20, 'x')});
      },
      {.answers_bytes_max = 1});
  CurlClient client;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Do({.url = Url(*server)}).body.size(), 1u << 20);
}

// A byte now and then is no progress: head and body have one time each, from their begin on.
TEST(LimitsTest, DripsDoNotExtendATime) {
  for (const char* begin :
       {"GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\nF0000\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;"}) {
    auto server = Start(Echo, {.header_timeout = absl::Milliseconds(400),
                               .idle_timeout = absl::Milliseconds(400),
                               .header_bytes_max = 1u << 20});
    RawClient slow(server->address());
    slow.Send(begin);
    CurlClient other;  // Takes a moment between two bytes.
    EXPECT_TRUE(WaitUntil([&] {
      slow.Send("a");
      EXPECT_EQ(other.Do({.url = Url(*server)}).status, 201);
      return server->stats().requests_refused == 1;
    })) << begin;
    EXPECT_THAT(slow.ReadAll(), StartsWith("HTTP/1.1 408")) << begin;
  }
}

TEST(LimitsTest, AThousandIdleConnectionsCostNoOther) {
  auto server = Start(Echo, {.header_timeout = absl::Seconds(2), .idle_timeout = absl::Seconds(2)});
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(std::make_unique<RawClient>(server->address()));
    if (i % 3 == 1) idle.back()->Send("GET / HT");
    if (i % 3 == 2) idle.back()->Send(kGet);
  }
  EXPECT_EQ(Fetch({.url = Url(*server)}).status, 201);
  // In their time all of them go, those that have begun a request with an answer.
  for (size_t i = 0; i < idle.size(); ++i) {
    const std::string heard = idle[i]->ReadAll();
    EXPECT_THAT(heard, StartsWith(i % 3 == 0 ? "" : i % 3 == 1 ? "HTTP/1.1 408" : "HTTP/1.1 201"));
  }
  EXPECT_TRUE(WaitUntil([&] { return server->stats().connections == 0; }));
  EXPECT_EQ(server->stats().requests_refused, 333u);
}

TEST(LimitsTest, ClosesClientsThatAreTooSlow) {
  auto server = Start(
      Echo, {.header_timeout = absl::Milliseconds(500), .idle_timeout = absl::Milliseconds(600)});
  RawClient silent(server->address());
  RawClient slow_header(server->address());
  slow_header.Send("GET / HTTP/1.1\r\nHo");
  RawClient slow_body(server->address());
  slow_body.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
  RawClient idle(server->address());
  idle.Send(kGet);
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_THAT(slow_header.ReadAll(), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(slow_body.ReadAll(), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(idle.ReadAll(), StartsWith("HTTP/1.1 201"));
  EXPECT_TRUE(WaitUntil([&] { return server->stats().connections == 0; }));
}

TEST(LimitsTest, RefusesRequestsBeyondTheQueue) {
  absl::Notification release;
  std::atomic<int> entered = 0;
  auto server = Start(
      [&](Request request, std::shared_ptr<Responder> responder) {
        ++entered;
        release.WaitForNotification();
        Echo(std::move(request), std::move(responder));
      },
      {.workers = 1, .queue_max = 1});
  RawClient running(server->address());
  running.Send(kGet);
  ASSERT_TRUE(WaitUntil([&] { return entered == 1; }));
  RawClient waiting(server->address());
  waiting.Send(kGet);
  // The first of these takes the place in the queue if `waiting` has not yet.
  std::vector<std::unique_ptr<RawClient>> more;
  for (int i = 0; i < 2; ++i) {
    more.push_back(std::make_unique<RawClient>(server->address()));
    more.back()->Send(kGet);
  }
  ASSERT_TRUE(WaitUntil([&] { return server->stats().requests_refused == 2; }));
  release.Notify();
  EXPECT_THAT(running.ReadUntil("- 0"), StartsWith("HTTP/1.1 201"));
  int busy = 0;
  for (RawClient* client : {&waiting, more[0].get(), more[1].get()}) {
    const std::string head = client->ReadUntil("\r\n\r\n");
    if (absl::StartsWith(head, "HTTP/1.1 503") && absl::StrContains(head, "Retry-After: 1")) ++busy;
  }
  EXPECT_EQ(busy, 2);
}

// Answers /stream with one that does not end.
struct Streams {
  absl::Mutex mutex;
  std::vector<std::shared_ptr<ResponseStream>> kept ABSL_GUARDED_BY(mutex);

  void operator()(Request request, std::shared_ptr<Responder> responder) {
    if (request.path != "/stream") return Echo(std::move(request), std::move(responder));
    absl::MutexLock lock(&mutex);
    kept.push_back(responder->Stream(200, {}));
  }
};

constexpr char kStream[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(LimitsTest, BoundsConnections) {
  Streams streams;
  auto server = Start(std::ref(streams), {.connections_max = 2});
  RawClient first(server->address());
  RawClient second(server->address());
  first.Send(kStream);
  second.Send(kStream);
  first.ReadUntil("\r\n\r\n");
  second.ReadUntil("\r\n\r\n");
  RawClient third(server->address());
  EXPECT_EQ(third.ReadAll(), "");
  EXPECT_EQ(server->stats().connections_refused, 1u);
  EXPECT_EQ(server->stats().connections_evicted, 0u);
  EXPECT_EQ(server->stats().connections, 2u);
}

TEST(LimitsTest, AtItsBoundWhoHasWaitedLongestMakesRoom) {
  Streams streams;
  auto server = Start(std::ref(streams), {.connections_max = 3});
  RawClient busy(server->address());
  busy.Send(kStream);
  busy.ReadUntil("\r\n\r\n");
  RawClient idle(server->address());
  idle.Send(kGet);
  idle.ReadUntil("- 0");
  RawClient slow(server->address());
  slow.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  slow.ReadUntil("\r\n\r\n");
  idle.Send(kGet);  // It has waited since, and less than the slow one.
  idle.ReadUntil("- 0");
  RawClient first(server->address());
  first.Send(kGet);
  EXPECT_THAT(first.ReadUntil("- 0"), StartsWith("HTTP/1.1 201"));
  EXPECT_EQ(slow.ReadAll(), "");
  RawClient second(server->address());
  second.Send(kGet);
  EXPECT_THAT(second.ReadUntil("- 0"), StartsWith("HTTP/1.1 201"));
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_EQ(server->stats().connections_evicted, 2u);
  EXPECT_EQ(server->stats().connections_refused, 0u);
  absl::MutexLock lock(&streams.mutex);
  EXPECT_TRUE(streams.kept[0]->Write("still here"));
}

TEST(LimitsTest, SilentClientsKeepNobodyOut) {
  auto server = Start(Echo, {.connections_max = 50});
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 500; ++i) {
    silent.push_back(std::make_unique<RawClient>(server->address()));
    if (i % 20 == 0) {
      EXPECT_EQ(Fetch({.url = Url(*server)}).status, 201);
    }
  }
  EXPECT_LE(server->stats().connections, 50u);
  EXPECT_EQ(server->stats().connections_refused, 0u);
}

}  // namespace
}  // namespace skerry::http
