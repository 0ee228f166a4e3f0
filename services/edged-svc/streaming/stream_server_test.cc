// The server's protocols where kubectl does not take one, its bounds and its times.
#include "services/edged-svc/streaming/stream_server.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/spdy_frames.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/edged-svc/streaming/testing/process_backend.h"
#include "services/edged-svc/streaming/testing/stream_client.h"
#include "services/edged-svc/streaming/websocket_frames.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/http/server.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"

namespace skerry::edged {
namespace {

using Kind = StreamRequest::Kind;
using Heard = StreamClient::Heard;

constexpr char kSuccess[] = R"({"metadata":{},"status":"Success"})";

StreamRequest Shell(const std::string& script) {
  return {.kind = Kind::kExec, .id = "c1", .command = {"sh", "-c", script}, .out = true};
}

class StreamServerTest : public ::testing::Test {
 protected:
  void Start(const StreamServerOptions& options = {}) {
    auto server = StreamServer::Create(
        options,
        {.backend = backend_, .clock = clock_, .log = log::Logger::Null(), .registry = &registry_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Url(const StreamRequest& request) {
    const auto url = server_->Add(request);
    EXPECT_TRUE(url.ok()) << url.status();
    return url.value_or("");
  }
  // A client whose streams are the types, from 1 on, each odd.
  std::unique_ptr<StreamClient> Spdy(const StreamRequest& request, absl::string_view protocol,
                                     std::initializer_list<const char*> types) {
    auto client = std::make_unique<StreamClient>(Url(request), StreamClient::SpdyHeaders(protocol));
    EXPECT_TRUE(absl::StartsWith(client->head(), "HTTP/1.1 101 ")) << client->head();
    uint32_t id = 1;
    for (const char* type : types) {
      client->Send(spdy::SynStream{.stream = id, .headers = {{"streamtype", type}}});
      id += 2;
    }
    return client;
  }
  std::unique_ptr<StreamClient> WebSocket(const StreamRequest& request) {
    auto client = std::make_unique<StreamClient>(
        Url(request), StreamClient::WebSocketHeaders("v4.channel.k8s.io"));
    EXPECT_TRUE(absl::StartsWith(client->head(), "HTTP/1.1 101 ")) << client->head();
    return client;
  }
  double Metric(absl::string_view line) const {
    const std::string text = registry_.Render();
    const size_t at = text.find(absl::StrCat("\n", line, " "));
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + 2 + line.size());
  }
  double Refused(absl::string_view why) const {
    return Metric(absl::StrCat("skerry_edged_streams_refused_total{reason=\"", why, "\"}"));
  }

  SystemClock clock_;
  metrics::Registry registry_{"edged-svc"};
  ProcessBackend backend_;
  std::unique_ptr<StreamServer> server_;
};

// ---- Protocols.

TEST_F(StreamServerTest, ExecOverWebSocketV4) {
  Start();
  StreamRequest request = Shell("head -c 3; echo err >&2; exit 7");
  request.in = request.err = true;
  const auto client = WebSocket(request);
  client->SendMessage(std::string("\0abc", 4));
  const Heard& heard = client->HearWebSocket(StreamClient::Never);
  EXPECT_EQ(heard.text.at(1), "abc");
  EXPECT_EQ(heard.text.at(2), "err\n");
  EXPECT_TRUE(absl::StrContains(heard.text.at(3), R"("reason":"ExitCode","message":"7")"))
      << heard.text.at(3);
  EXPECT_TRUE(heard.goodbye);
}

TEST_F(StreamServerTest, ExecOverSpdyInEveryVersion) {
  Start();
  for (const char* version : {"v2.channel.k8s.io", "v3.channel.k8s.io", "v4.channel.k8s.io"}) {
    auto client = Spdy(Shell("echo out; exit 3"), version, {"error", "stdout"});
    const Heard& heard = client->HearSpdy(StreamClient::Never);
    EXPECT_EQ(heard.text.at(3), "out\n");
    EXPECT_TRUE(heard.fin.at(1) && heard.fin.at(3) && heard.goodbye);
    EXPECT_TRUE(absl::StrContains(heard.text.at(1), "exit status 3")) << heard.text.at(1);
    EXPECT_EQ(absl::StrContains(heard.text.at(1), "NonZeroExitCode"), version[1] == '4');
    client = Spdy(Shell("true"), version, {"error", "stdout"});
    EXPECT_EQ(client->HearSpdy(StreamClient::Never).text.at(1), version[1] == '4' ? kSuccess : "");
  }
}

TEST_F(StreamServerTest, AttachEndsWithItsInput) {
  Start();
  const auto client = Spdy({.kind = Kind::kAttach, .id = "c1", .in = true, .out = true},
                           "v4.channel.k8s.io", {"error", "stdin", "stdout"});
  client->Send(spdy::Data{.stream = 3, .bytes = "line\n"});
  client->HearSpdy([](const Heard& heard) { return heard.text.count(5) > 0; });
  client->Send(spdy::Data{.stream = 3, .fin = true});
  const Heard& heard = client->HearSpdy(StreamClient::Never);
  EXPECT_EQ(heard.text.at(5), "got line\n");
  EXPECT_EQ(heard.text.at(1), kSuccess);
}

TEST_F(StreamServerTest, StreamsThatWereNotAskedForAreRefused) {
  Start();
  const auto client = Spdy(Shell("echo out"), "v4.channel.k8s.io", {"stdin", "error"});
  client->Send(spdy::SynStream{.stream = 5, .headers = {{"streamtype", "error"}}});
  client->Send(spdy::SynStream{.stream = 7, .headers = {{"streamtype", "stdout"}}});
  const Heard& heard = client->HearSpdy(StreamClient::Never);
  EXPECT_EQ(heard.reset, (std::map<uint32_t, uint32_t>{{1, 3}, {5, 3}}));
  EXPECT_EQ(heard.text.at(7), "out\n");
  EXPECT_EQ(Refused("stream"), 2);
}

TEST_F(StreamServerTest, ASizeThatIsNoneEndsTheSession) {
  Start();
  StreamRequest request = Shell("sleep 1000");
  request.tty = true;
  const auto client = Spdy(request, "v4.channel.k8s.io", {"error", "stdout", "resize"});
  client->Send(spdy::Data{.stream = 5, .bytes = "{\"Width\":\"wide\"}"});
  EXPECT_TRUE(client->HearSpdy(StreamClient::Never).goodbye);
}

TEST_F(StreamServerTest, PortsOverWebSocketV4) {
  Start();
  auto pod = http::Server::Create({}, [](http::Request, std::shared_ptr<http::Responder> r) {
    r->Send({.body = "from the pod"});
  });
  ASSERT_TRUE(pod.ok()) << pod.status();
  const std::string address = (*pod)->address();
  const int32_t port = std::atoi(address.substr(address.rfind(':') + 1).c_str());
  const auto client = WebSocket({.kind = Kind::kPortForward, .id = "s1", .ports = {port, 1}});
  client->SendMessage(
      absl::StrCat(std::string(1, '\0'), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  const Heard& heard = client->HearWebSocket(StreamClient::Never);
  const std::string number = {static_cast<char>(port & 0xff), static_cast<char>(port >> 8)};
  EXPECT_EQ(heard.text.at(0).substr(0, 2), number);
  EXPECT_TRUE(absl::EndsWith(heard.text.at(0), "from the pod")) << heard.text.at(0);
  EXPECT_EQ(heard.text.at(1), number);
  EXPECT_EQ(heard.text.at(2), std::string("\1\0", 2));
  EXPECT_TRUE(absl::StrContains(heard.text.at(3), "error forwarding port 1 to pod s1"));
  EXPECT_TRUE(heard.goodbye);
}

TEST_F(StreamServerTest, PortStreamsMustBePairs) {
  Start({.creation_timeout = absl::Milliseconds(50)});
  const auto client = Spdy({.kind = Kind::kPortForward, .id = "s1"}, "portforward.k8s.io", {});
  const auto open = [&](uint32_t id, const char* type, const char* port, const char* pair) {
    client->Send(spdy::SynStream{
        .stream = id, .headers = {{"streamtype", type}, {"port", port}, {"requestid", pair}}});
  };
  open(1, "error", "80", "1");
  open(3, "error", "80", "1");  // Twice.
  open(5, "data", "0", "2");    // No port.
  open(7, "data", "80x", "2");  // Neither.
  open(9, "stdin", "80", "3");  // Another protocol's.
  open(11, "error", "80", "");  // Of no pair.
  const Heard& heard = client->HearSpdy(
      [](const Heard& heard) { return heard.fin.count(1) > 0 && heard.reset.size() == 5; });
  EXPECT_EQ(heard.reset, (std::map<uint32_t, uint32_t>{{3, 3}, {5, 3}, {7, 3}, {9, 3}, {11, 3}}));
  EXPECT_EQ(heard.text.at(1), "the data stream of request 1 did not come in time");
}

// ---- Bounds and times.

TEST_F(StreamServerTest, AUrlIsForOneUseOfItsKind) {
  Start();
  const std::string headers = StreamClient::SpdyHeaders("v4.channel.k8s.io");
  const std::string url = Url(Shell("true"));
  EXPECT_TRUE(absl::StrContains(StreamClient(url, headers).head(), " 101 "));
  EXPECT_TRUE(absl::StrContains(StreamClient(url, headers).head(), " 404 "));
  std::string other = Url(Shell("true"));
  other.replace(other.find("exec"), 4, "attach");
  EXPECT_TRUE(absl::StrContains(StreamClient(other, headers).head(), " 404 "));
  EXPECT_EQ(Refused("token"), 2);
}

TEST_F(StreamServerTest, WhatCannotBeUpgradedIsToldWhy) {
  Start();
  StreamClient plain(Url(Shell("true")), "Connection: close\r\n");
  EXPECT_TRUE(absl::StrContains(plain.head(), " 400 ")) << plain.head();
  EXPECT_TRUE(absl::StrContains(plain.Body(), "unable to upgrade"));
  const StreamClient unknown(Url(Shell("true")), StreamClient::SpdyHeaders("v9.channel.k8s.io"));
  EXPECT_TRUE(absl::StrContains(unknown.head(), " 403 ")) << unknown.head();
  EXPECT_EQ(Refused("upgrade"), 2);
}

TEST_F(StreamServerTest, AtItsBoundsItRefuses) {
  Start({.waiting_max = 2, .open_max = 1});
  const std::string headers = StreamClient::WebSocketHeaders("v4.channel.k8s.io");
  const auto first = WebSocket(Shell("echo up; exec sleep 1000"));
  first->HearWebSocket([](const Heard& heard) { return heard.text.count(1) > 0; });
  EXPECT_EQ(Metric("skerry_edged_streams"), 1);
  EXPECT_TRUE(absl::StrContains(StreamClient(Url(Shell("true")), headers).head(), " 503 "));
  EXPECT_EQ(Refused("open"), 1);
  const std::string kept = Url(Shell("true"));
  Url(Shell("true"));
  const absl::Status full = server_->Add(Shell("true")).status();
  EXPECT_EQ(GetErrorInfo(full).reason, "TOO_MANY_STREAMS");
  EXPECT_EQ(Refused("waiting"), 1);
  // The end of one is room for another.
  first->Send(websocket::Render(websocket::Opcode::kClose, "", 0));
  first->HearWebSocket(StreamClient::Never);
  while (Metric("skerry_edged_streams") != 0) std::this_thread::yield();
  EXPECT_TRUE(absl::StrContains(StreamClient(kept, headers).head(), " 101 "));
}

TEST_F(StreamServerTest, AClientMustOpenItsStreamsInTime) {
  Start({.creation_timeout = absl::Milliseconds(50)});
  const auto client = Spdy(Shell("true"), "v4.channel.k8s.io", {"error"});
  EXPECT_FALSE(client->HearSpdy(StreamClient::Never).goodbye);
  EXPECT_EQ(Metric("skerry_edged_streams_ended_total{result=\"error\"}"), 1);
}

TEST_F(StreamServerTest, WhatNothingMovesOnIsEnded) {
  Start({.idle_timeout = absl::Milliseconds(100)});
  const auto client = Spdy(Shell("sleep 1000"), "v4.channel.k8s.io", {"error", "stdout"});
  const Heard& heard = client->HearSpdy(StreamClient::Never);
  EXPECT_TRUE(absl::StrContains(heard.text.at(1), "nothing moved for 100ms")) << heard.text.at(1);
  const auto ports = Spdy({.kind = Kind::kPortForward, .id = "s1"}, "portforward.k8s.io", {});
  EXPECT_FALSE(ports->HearSpdy(StreamClient::Never).goodbye);
}

TEST_F(StreamServerTest, ItsEndIsToldToClients) {
  Start();
  const auto exec =
      Spdy(Shell("echo up; exec sleep 1000"), "v4.channel.k8s.io", {"error", "stdout"});
  exec->HearSpdy([](const Heard& heard) { return heard.text.count(3) > 0; });
  const auto ports = Spdy({.kind = Kind::kPortForward, .id = "s1"}, "portforward.k8s.io", {});
  server_.reset();
  EXPECT_TRUE(absl::StrContains(exec->HearSpdy(StreamClient::Never).text.at(1),
                                "the node is being restarted"));
  ports->HearSpdy(StreamClient::Never);
  EXPECT_EQ(Metric("skerry_edged_streams"), 0);
}

TEST_F(StreamServerTest, AClientThatDoesNotReadIsCut) {
  Start({.open_max = 1, .write_timeout = absl::Milliseconds(100)});
  const auto client = Spdy(Shell("exec yes"), "v4.channel.k8s.io", {"error", "stdout"});
  client->HearSpdy([](const Heard& heard) { return heard.text.count(3) > 0; });
  while (Metric("skerry_edged_streams") != 0) std::this_thread::yield();
  EXPECT_EQ(Metric("skerry_edged_streams_ended_total{result=\"error\"}"), 1);
  EXPECT_EQ(Metric("skerry_http_streams_cut_total"), 1);
  // Its place is another's.
  while (Metric("skerry_http_connections") != 0) std::this_thread::yield();
  const auto next = Spdy(Shell("true"), "v4.channel.k8s.io", {"error", "stdout"});
  EXPECT_EQ(next->HearSpdy(StreamClient::Never).text.at(1), kSuccess);
}

TEST_F(StreamServerTest, ItsAnswersAreCounted) {
  Start();
  const std::string url = Url(Shell("true"));
  const std::string headers = StreamClient::SpdyHeaders("v4.channel.k8s.io");
  EXPECT_TRUE(absl::StrContains(StreamClient(url, headers).head(), " 101 "));
  EXPECT_TRUE(absl::StrContains(StreamClient(url, headers).head(), " 404 "));
  EXPECT_EQ(Metric("skerry_http_responses_total{code_class=\"1xx\"}"), 1);
  EXPECT_EQ(Metric("skerry_http_responses_total{code_class=\"4xx\"}"), 1);
  EXPECT_EQ(Metric("skerry_http_request_seconds_count"), 2);
}

TEST_F(StreamServerTest, ItEndsThoughAClientDoesNotRead) {
  Start();
  const auto client = Spdy(Shell("yes"), "v4.channel.k8s.io", {"error", "stdout"});
  client->HearSpdy([](const Heard& heard) { return heard.text.count(3) > 0; });
  server_.reset();
  EXPECT_EQ(Metric("skerry_edged_streams"), 0);
}

}  // namespace
}  // namespace skerry::edged
