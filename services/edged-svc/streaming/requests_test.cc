// What clients ask for and are told, apart from bytes.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/remote_status.h"
#include "services/edged-svc/streaming/stream_tokens.h"
#include "services/edged-svc/streaming/upgrade.h"
#include "services/lib/base/error.h"

namespace skerry::edged {
namespace {

using Kind = StreamRequest::Kind;
using Transport = Upgrade::Transport;
using Headers = std::map<std::string, std::string>;

Headers Spdy(const std::string& protocols) {
  return {
      {"connection", "Upgrade"}, {"upgrade", "SPDY/3.1"}, {"x-stream-protocol-version", protocols}};
}

Headers WebSocket(const std::string& protocols) {
  return {{"connection", "keep-alive, upgrade"},
          {"upgrade", "websocket"},
          {"sec-websocket-version", "13"},
          {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
          {"sec-websocket-protocol", protocols}};
}

TEST(UpgradeTest, TheFirstProtocolOfTheClientThatIsServed) {
  const auto spdy = NegotiateUpgrade(
      Kind::kExec, Spdy("v9.channel.k8s.io, v4.channel.k8s.io, v3.channel.k8s.io"));
  ASSERT_TRUE(spdy.ok()) << spdy.status();
  EXPECT_EQ(spdy->answer,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
            "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n");
  EXPECT_TRUE(spdy->resizes && spdy->status == StatusFormat::kJson && !spdy->peer_closes);
  const auto v3 = NegotiateUpgrade(Kind::kAttach, Spdy("v3.channel.k8s.io"));
  EXPECT_TRUE(v3->resizes && v3->status == StatusFormat::kWords);
  EXPECT_FALSE(NegotiateUpgrade(Kind::kAttach, Spdy("v2.channel.k8s.io"))->resizes);

  const auto socket =
      NegotiateUpgrade(Kind::kExec, WebSocket("v5.channel.k8s.io,v4.channel.k8s.io"));
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(socket->answer,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
            "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n");
  EXPECT_TRUE(socket->transport == Transport::kWebSocket && socket->peer_closes);
}

TEST(UpgradeTest, PortForwardHasItsOwn) {
  EXPECT_EQ(NegotiateUpgrade(Kind::kPortForward, Spdy("portforward.k8s.io"))->transport,
            Transport::kSpdy);
  EXPECT_EQ(
      NegotiateUpgrade(Kind::kPortForward, WebSocket("SPDY/3.1+portforward.k8s.io"))->transport,
      Transport::kWebSocketTunnel);
  EXPECT_EQ(NegotiateUpgrade(Kind::kPortForward, WebSocket("v4.channel.k8s.io"))->transport,
            Transport::kWebSocket);
  const auto none = NegotiateUpgrade(Kind::kPortForward, Spdy("v4.channel.k8s.io"));
  EXPECT_EQ(none.status().message(),
            "unable to upgrade: unable to negotiate protocol: client supports [v4.channel.k8s.io], "
            "server accepts [portforward.k8s.io]");
  EXPECT_EQ(GetErrorInfo(none.status()).reason, "PROTOCOL_UNKNOWN");
}

TEST(UpgradeTest, WhatIsNoUpgradeIsRefused) {
  const auto reason = [](Headers headers, const char* name, const char* value) {
    headers[name] = value;
    const auto upgrade = NegotiateUpgrade(Kind::kExec, headers);
    return GetErrorInfo(upgrade.status()).reason;
  };
  EXPECT_EQ(reason(Spdy("v4.channel.k8s.io"), "upgrade", "h2c"), "NOT_AN_UPGRADE");
  EXPECT_EQ(reason(Spdy("v4.channel.k8s.io"), "connection", "close"), "NOT_AN_UPGRADE");
  EXPECT_EQ(reason(WebSocket("v4.channel.k8s.io"), "sec-websocket-key", "AAAA"), "NOT_AN_UPGRADE");
  EXPECT_EQ(reason(WebSocket("v4.channel.k8s.io"), "sec-websocket-version", "8"), "NOT_AN_UPGRADE");
  EXPECT_EQ(reason(Spdy(""), "x", "y"), "PROTOCOL_UNKNOWN");
}

TEST(RemoteStatusTest, ExitCodesAreTheKubelets) {
  EXPECT_EQ(ExitStatus(StatusFormat::kJson, 0), R"({"metadata":{},"status":"Success"})");
  EXPECT_EQ(ExitStatus(StatusFormat::kJson, 3),
            R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit )"
            R"(code: exit status 3","reason":"NonZeroExitCode","details":{"causes":[{"reason":)"
            R"("ExitCode","message":"3"}]}})");
  EXPECT_EQ(ExitStatus(StatusFormat::kWords, 0), "");
  EXPECT_EQ(ExitStatus(StatusFormat::kWords, 3),
            "command terminated with non-zero exit code: exit status 3");
}

TEST(RemoteStatusTest, FailuresFitIntoOneChunk) {
  const std::string status = FailureStatus(StatusFormat::kJson, "error attaching to container",
                                           absl::InternalError(std::string(100000, '\x01')));
  EXPECT_LT(status.size(), 32u << 10);
  EXPECT_EQ(FailureStatus(StatusFormat::kWords, "error attaching to container",
                          absl::NotFoundError("it is gone")),
            "Internal error occurred: error attaching to container: it is gone");
}

TEST(ResizeReaderTest, SizesComeInPieces) {
  ResizeReader reader;
  EXPECT_TRUE(reader.Put("{\"Width\":80,").value().empty());
  EXPECT_EQ(reader.Put("\"Height\":24}\n{\"Width\":1,\"Height\":65535}\n{").value(),
            (std::vector<TerminalSize>{{80, 24}, {1, 65535}}));
}

TEST(ResizeReaderTest, WhatIsNoSizeIsRefused) {
  for (const std::string& text :
       {std::string("{\"Width\":80}"), std::string("{\"Width\":-1,\"Height\":2}"),
        std::string("{\"Width\":65536,\"Height\":2}"), std::string("[1]}"), std::string("}"),
        std::string(2000, ' '), std::string("{\"Width\":{\"Width\":1}}"),
        std::string(2000, ' ') + "{}"}) {
    ResizeReader reader;
    EXPECT_EQ(GetErrorInfo(reader.Put(text).status()).reason, "RESIZE_INVALID") << text;
  }
}

TEST(StreamTokensTest, EachIsForOneUseWithinItsTime) {
  StreamTokens tokens(2, absl::Minutes(1));
  const std::string first = tokens.Add({.id = "a"}, absl::ZeroDuration()).value();
  const std::string second = tokens.Add({.id = "b"}, absl::Seconds(1)).value();
  EXPECT_EQ(first.size(), 32u);
  EXPECT_NE(first, second);
  const absl::Status full = tokens.Add({}, absl::Seconds(2)).status();
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_EQ(GetErrorInfo(full).reason, "TOO_MANY_STREAMS");
  EXPECT_EQ(tokens.Take(first, absl::Seconds(59))->id, "a");
  EXPECT_FALSE(tokens.Take(first, absl::Seconds(59)).has_value());
  EXPECT_FALSE(tokens.Take(second, absl::Seconds(61)).has_value());
  // What is too old makes room.
  ASSERT_TRUE(tokens.Add({}, absl::Seconds(61)).ok());
  ASSERT_TRUE(tokens.Add({}, absl::Seconds(62)).ok());
  EXPECT_TRUE(tokens.Add({}, absl::Seconds(121)).ok());
}

}  // namespace
}  // namespace skerry::edged
