#include "services/lib/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/http/testing/raw_client.h"
#include "services/lib/metrics/registry.h"

namespace skerry::http {
namespace {

using skerry::testing::CurlAnswer;
using skerry::testing::CurlClient;
using skerry::testing::Fetch;
using skerry::testing::RawClient;
using ::testing::HasSubstr;
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

TEST(ServerTest, HandsOverTheRequest) {
  auto server = Start(Echo);
  EXPECT_EQ(Fetch({.url = Url(*server, "/x%20y?a=b%26")}).body, "GET /x y b& 0");
  const CurlAnswer posted = Fetch({.url = Url(*server),
                                   .method = "PATCH",
                                   .body = std::string(2 << 20, 'x'),
                                   .headers = {"X-Token: t"}});
  EXPECT_EQ(posted.status, 201);
  EXPECT_EQ(posted.body, "PATCH / - 2097152");
  EXPECT_EQ(posted.headers.at("x-token"), "t");
  EXPECT_EQ(posted.headers.count("date"), 1u);
}

TEST(ServerTest, KeepsConnectionsAlive) {
  auto server = Start(Echo);
  CurlClient client;
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.Do({.url = Url(*server), .method = "PUT", .body = "b"}).status, 201);
  EXPECT_EQ(client.connections(), 1);
  EXPECT_EQ(server->stats().requests, 20u);
}

TEST(ServerTest, TakesChunkedBodies) {
  auto server = Start(Echo);
  RawClient client(server->address());
  client.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("- 6"), HasSubstr("POST / - 6"));
}

// Who looks at the headers on the way does not see them.
TEST(ServerTest, TrailersAreNoHeaders) {
  auto server = Start(Echo);
  RawClient client(server->address());
  client.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Token: a\r\n\r\n"
      "1\r\n!\r\n0\r\nX-Token: b\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("- 1"), HasSubstr("X-Token: a\r\n"));
}

TEST(ServerTest, AnswersHeadWithoutABody) {
  auto server = Start(Echo);
  const CurlAnswer head = Fetch({.url = Url(*server), .method = "HEAD"});
  EXPECT_EQ(head.error, "");
  EXPECT_EQ(head.headers.at("content-length"), std::to_string(std::string("HEAD / - 0").size()));
  auto streams = Start([](Request, std::shared_ptr<Responder> responder) {
    responder->Stream(200, {})->Write("x");
  });
  CurlClient client;
  EXPECT_EQ(client.Do({.url = Url(*streams), .method = "HEAD"}).error, "");
  EXPECT_EQ(client.Do({.url = Url(*streams), .method = "HEAD"}).status, 200);
}

TEST(ServerTest, SaysContinueBeforeTheBody) {
  auto server = Start(Echo);
  RawClient client(server->address());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_THAT(client.ReadUntil("- 3"), StartsWith("HTTP/1.1 201 Created"));
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto server = Start(Echo);
  RawClient client(server->address());
  std::string requests;
  for (int i = 0; i < 200; ++i)
    absl::StrAppend(&requests, "GET /", i, " HTTP/1.1\r\nHost: x\r\n\r\n");
  std::thread sender([&] { client.Send(requests); });
  for (int i = 0; i < 200; ++i)
    EXPECT_THAT(client.ReadUntil(" - 0"), HasSubstr(absl::StrCat("GET /", i, " - 0")));
  sender.join();
}

TEST(ServerTest, SpeaksHttp10) {
  auto server = Start([](Request request, std::shared_ptr<Responder> responder) {
    if (request.path != "/stream") return Echo(std::move(request), std::move(responder));
    auto stream = responder->Stream(200, {});
    stream->Write("one");
    stream->Write("two");
    stream->End();
  });
  RawClient plain(server->address());
  plain.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(plain.ReadAll(), HasSubstr("Connection: close\r\n\r\nGET / - 0"));
  RawClient stream(server->address());
  stream.Send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(stream.ReadAll(), HasSubstr("\r\n\r\nonetwo"));
}

TEST(ServerTest, AnswersAClientThatClosedItsSendingSide) {
  auto server = Start(Echo);
  RawClient client(server->address());
  client.Send(kGet);
  client.CloseSending();
  EXPECT_THAT(client.ReadAll(), HasSubstr("GET / - 0"));
}

TEST(ServerTest, RefusesMalformedRequests) {
  auto server = Start(Echo);
  const struct {
    const char* bytes;
    const char* status;
  } rows[] = {
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP\r\n\r\n", "400"},
      {"GET\r\n\r\n", "400"},
      {"GET / HTTP/9.9\r\n\r\n", "400"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n", "400"},
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       "501"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
  };
  for (const auto& row : rows) {
    RawClient client(server->address());
    client.Send(row.bytes);
    EXPECT_EQ(client.ReadAll().substr(9, 3), row.status) << row.bytes;
  }
  EXPECT_EQ(server->stats().requests, 0u);
  EXPECT_EQ(Fetch({.url = Url(*server)}).status, 201);
}

TEST(ServerTest, ServesManyAtOnce) {
  auto server = Start(Echo);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      CurlClient client;
      for (int i = 0; i < 50; ++i) {
        const std::string body(static_cast<size_t>(t * 1000 + i), 'x');
        if (client.Do({.url = Url(*server), .method = "POST", .body = body}).body ==
            absl::StrCat("POST / - ", body.size()))
          ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 16 * 50);
}

TEST(ServerTest, CountsInTheRegistry) {
  metrics::Registry registry("test");
  auto server = Start(Echo, {.registry = &registry});
  CurlClient client;
  EXPECT_EQ(client.Do({.url = Url(*server)}).status, 201);
  RawClient bad(server->address());
  bad.Send("nonsense\r\n\r\n");
  EXPECT_THAT(bad.ReadUntil("\r\n\r\n"), HasSubstr("400"));
  const std::string text = registry.Render();
  EXPECT_THAT(text, HasSubstr("skerry_http_requests_total 1"));
  EXPECT_THAT(text, HasSubstr("skerry_http_requests_refused_total 1"));
  EXPECT_THAT(text, HasSubstr("skerry_http_connections 2"));
  EXPECT_THAT(text, HasSubstr("skerry_http_responses_total{code_class=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skerry_http_responses_total{code_class=\"4xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skerry_http_responses_total{code_class=\"5xx\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("skerry_http_request_seconds_count 1\n"))
      << "the refused one was given to nobody";
}

TEST(ServerTest, CountsStreamsWithTheirHeadAndWhatNobodyAnswered) {
  metrics::Registry registry("test");
  auto server = Start(
      [](Request request, std::shared_ptr<Responder> responder) {
        if (request.path != "/stream") return;
        const std::shared_ptr<ResponseStream> stream = responder->Stream(200, {});
        stream->Write("chunk");
        stream->End();
      },
      {.registry = &registry});
  EXPECT_EQ(Fetch({.url = Url(*server, "/stream")}).body, "chunk");
  EXPECT_EQ(Fetch({.url = Url(*server, "/none")}).status, 500);
  const std::string text = registry.Render();
  EXPECT_THAT(text, HasSubstr("skerry_http_responses_total{code_class=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skerry_http_responses_total{code_class=\"5xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("skerry_http_request_seconds_count 2\n"));
}

TEST(ServerTest, AnswersForHandlersThatDoNot) {
  auto server = Start([](Request request, std::shared_ptr<Responder>) {
    if (request.path == "/throw") throw std::runtime_error("oops");
  });
  EXPECT_EQ(Fetch({.url = Url(*server)}).status, 500);
  EXPECT_EQ(Fetch({.url = Url(*server, "/throw")}).status, 500);
}

TEST(ServerTest, TakesTheFirstAnswerOnly) {
  auto server = Start([](Request, std::shared_ptr<Responder> responder) {
    responder->Send({.status = 200, .body = "first"});
    responder->Send({.status = 200, .body = "second"});
    EXPECT_FALSE(responder->Stream(200, {})->Write("third"));
  });
  CurlClient client;
  EXPECT_EQ(client.Do({.url = Url(*server)}).body, "first");
  EXPECT_EQ(client.Do({.url = Url(*server)}).body, "first");
}

TEST(ServerTest, AnswersMayComeLaterFromAnotherThread) {
  std::vector<std::thread> threads;
  auto server = Start(
      [&](Request, std::shared_ptr<Responder> responder) {
        threads.emplace_back([responder] { responder->Send({.status = 200, .body = "later"}); });
      },
      {.workers = 1});
  EXPECT_EQ(Fetch({.url = Url(*server)}).body, "later");
  server.reset();
  for (std::thread& thread : threads) thread.join();
}

TEST(ServerTest, LetsNoHeaderEndTheHead) {
  auto server = Start([](Request, std::shared_ptr<Responder> responder) {
    responder->Send({.status = 200,
                     .headers = {{"X", "a\r\nY: b"}, {"Bad Name", "c"}, {"Content-Length", "1"}},
                     .body = "body"});
  });
  const CurlAnswer answer = Fetch({.url = Url(*server)});
  EXPECT_EQ(answer.body, "body");
  EXPECT_EQ(answer.headers.count("y"), 0u);
  EXPECT_EQ(answer.headers.count("bad name"), 0u);
}

TEST(ServerTest, RefusesOptionsThatWouldBeUnsafe) {
  EXPECT_FALSE(Server::Create({.listen = "0.0.0.0:0"}, Echo).ok());
  EXPECT_FALSE(Server::Create({.listen = "127.0.0.1"}, Echo).ok());
  EXPECT_FALSE(Server::Create({.listen = "example.org:80"}, Echo).ok());
  EXPECT_FALSE(Server::Create({.listen = "127.0.0.1:0", .cert_file = "x"}, Echo).ok());
  EXPECT_FALSE(
      Server::Create(
          {.listen = "127.0.0.1:0", .client_certificates = ClientCertificates::kRequired}, Echo)
          .ok());
  auto server = Start(Echo);
  EXPECT_TRUE(absl::IsUnavailable(Server::Create({.listen = server->address()}, Echo).status()));
}

TEST(ServerTest, ShutsDownAfterWhatIsUnderWay) {
  absl::Notification entered;
  absl::Notification release;
  auto server = Start([&](Request request, std::shared_ptr<Responder> responder) {
    entered.Notify();
    release.WaitForNotification();
    Echo(std::move(request), std::move(responder));
  });
  RawClient idle(server->address());
  RawClient running(server->address());
  running.Send(kGet);
  entered.WaitForNotification();
  std::thread shutdown([&] { server->Shutdown(absl::Now() + absl::Seconds(20)); });
  EXPECT_EQ(idle.ReadAll(), "");
  release.Notify();
  EXPECT_THAT(running.ReadAll(), HasSubstr("Connection: close\r\n\r\nGET / - 0"));
  shutdown.join();
  server->Shutdown(absl::InfinitePast());
}

TEST(ServerTest, ShutdownEndsAtItsDeadline) {
  absl::Notification entered;
  std::shared_ptr<Responder> kept;
  auto server = Start([&](Request, std::shared_ptr<Responder> responder) {
    kept = std::move(responder);
    entered.Notify();
  });
  RawClient client(server->address());
  client.Send(kGet);
  entered.WaitForNotification();
  server->Shutdown(absl::Now() + absl::Milliseconds(20));
  EXPECT_EQ(client.ReadAll(), "");
  server.reset();
  // What comes too late harms nobody.
  auto stream = kept->Stream(200, {});
  EXPECT_FALSE(stream->Write("x"));
  kept.reset();
}

}  // namespace
}  // namespace skerry::http
