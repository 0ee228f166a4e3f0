#include "services/edged-svc/streaming/websocket_frames.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace skerry::edged::websocket {
namespace {

std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(hex); }

// "binary[first]=..."; pieces of one message are told apart.
std::string Read(FrameReader& reader, absl::string_view bytes) {
  reader.Put(bytes);
  std::string text;
  while (true) {
    const auto piece = reader.Next();
    if (!piece.ok()) return absl::StrCat(text, "error: ", piece.status().message());
    if (!piece->has_value()) return text;
    absl::StrAppend(&text, (*piece)->first ? "<" : "", static_cast<int>((*piece)->opcode), ":",
                    (*piece)->bytes, (*piece)->last ? ">" : "");
  }
}

TEST(WebSocketFramesTest, TheHandshakeOfTheRfc) {
  EXPECT_EQ(AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketFramesTest, TheExamplesOfTheRfc) {
  FrameReader from_server(From::kServer), from_client(From::kClient);
  EXPECT_EQ(Read(from_server, Bytes("810548656c6c6f")), "<1:Hello>");
  EXPECT_EQ(Read(from_client, Bytes("818537fa213d7f9f4d5158")), "<1:Hello>");
  EXPECT_EQ(Read(from_server, Bytes("010348656c")), "<1:Hel");
  EXPECT_EQ(Read(from_server, Bytes("80026c6f")), "1:lo>");
  EXPECT_EQ(Read(from_server, Bytes("890548656c6c6f")), "<9:Hello>");
  EXPECT_EQ(Render(Opcode::kText, "Hello"), Bytes("810548656c6c6f"));
  EXPECT_EQ(Render(Opcode::kText, "Hello", 0x37fa213d), Bytes("818537fa213d7f9f4d5158"));
}

TEST(WebSocketFramesTest, EveryLengthAndStep) {
  for (const size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 100000u}) {
    const std::string frame = Render(Opcode::kBinary, std::string(size, 'x'), 0x01020304);
    for (const size_t step : {size_t{1}, size_t{1000}, frame.size()}) {
      FrameReader reader(From::kClient);
      std::string message;
      bool last = false;
      for (size_t at = 0; at < frame.size(); at += step) {
        reader.Put(absl::string_view(frame).substr(at, step));
        while (true) {
          const auto piece = reader.Next();
          ASSERT_TRUE(piece.ok()) << piece.status();
          if (!piece->has_value()) break;
          EXPECT_FALSE(last);
          message += (*piece)->bytes;
          last = (*piece)->last;
        }
      }
      EXPECT_TRUE(last);
      EXPECT_EQ(message, std::string(size, 'x'));
    }
  }
}

TEST(WebSocketFramesTest, ControlFramesComeWholeBetweenPieces) {
  FrameReader reader(From::kServer);
  EXPECT_EQ(Read(reader, Bytes("0204") + "ab"), "<2:ab");
  EXPECT_EQ(Read(reader, "cd"), "2:cd");
  EXPECT_EQ(Read(reader, Bytes("8902") + "p"), "");
  EXPECT_EQ(Read(reader, "q"), "<9:pq>");
  EXPECT_EQ(Read(reader, Bytes("8001") + "e"), "2:e>");
}

TEST(WebSocketFramesTest, WhatIsNotWebSocketIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"c180", "a frame of an extension"},
      {"8380", "a frame of kind 3"},
      {"8f80", "a frame of kind 15"},
      {"8101", "clients mask their frames, servers do not"},
      {"88fe", "a control frame of more than 125 bytes, or in parts"},
      {"0980", "a control frame of more than 125 bytes, or in parts"},
      {"8080", "a message within a message, or the rest of none"},
      {"0180000000000180", "a message within a message, or the rest of none"},
      {"82ff800000000000000000000000", "a frame of more than 2^63 bytes"},
  };
  for (const auto& [hex, why] : cases) {
    FrameReader reader(From::kClient);
    const std::string got = Read(reader, Bytes(hex));
    EXPECT_TRUE(got.find(absl::StrCat("error: not WebSocket: ", why)) != std::string::npos)
        << hex << ": " << got;
  }
}

TEST(WebSocketFramesTest, ACloseSaysWhyInWhatFits) {
  EXPECT_EQ(CloseBody(1000, "ok"), Bytes("03e8") + "ok");
  EXPECT_EQ(CloseBody(1002, std::string(500, 'x')).size(), 125u);
}

}  // namespace
}  // namespace skerry::edged::websocket
