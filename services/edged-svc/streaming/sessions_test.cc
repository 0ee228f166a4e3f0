// SPDY and WebSocket connections, frame by frame, against a peer that is the test.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/streaming/channel.h"
#include "services/edged-svc/streaming/spdy_frames.h"
#include "services/edged-svc/streaming/spdy_session.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/edged-svc/streaming/websocket_frames.h"
#include "services/edged-svc/streaming/websocket_session.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/pipe/testing/fake_stream.h"

namespace skerry::edged {
namespace {

using pipe::testing::FakeStream;
using websocket::Opcode;
using websocket::Render;

constexpr uint32_t kMask = 0x0badcafe;
constexpr size_t kChunk = pipe::ByteStream::kChunkBytesMax;

// What a read gave, once it has given something.
struct ReadResult {
  std::optional<absl::StatusOr<std::string>> got;
};

std::shared_ptr<ReadResult> Read(Channel& channel) {
  auto result = std::make_shared<ReadResult>();
  channel.Read([result](absl::StatusOr<std::string> bytes) { result->got = std::move(bytes); });
  return result;
}

// ---- SPDY.

class SpdySessionTest : public ::testing::Test {
 protected:
  SpdySessionTest() {
    session->OnStreamOpened([this](std::shared_ptr<Channel> stream, const spdy::Headers& headers) {
      streams.push_back(std::move(stream));
      return spdy::Find(headers, "bad") == "" ? absl::OkStatus() : absl::CancelledError("bad");
    });
    session->OnEnd([this](absl::Status status) { ended = std::move(status); });
    session->Start();
  }
  ~SpdySessionTest() override {
    session->Abort();
    streams.clear();
  }

  void Say(const spdy::Frame& frame) { raw->Say(writer.Write(frame)); }
  // What the session has said since it was last asked.
  std::vector<spdy::Frame> Said() {
    const std::string all = raw->output();
    reader.Put(absl::string_view(all).substr(taken));
    taken = all.size();
    std::vector<spdy::Frame> frames;
    while (true) {
      auto frame = reader.Next();
      EXPECT_TRUE(frame.ok()) << frame.status();
      if (!frame.ok() || !frame->has_value()) return frames;
      frames.push_back(**std::move(frame));
    }
  }
  std::shared_ptr<Channel> Open(uint32_t id) {
    Say(spdy::SynStream{.stream = id});
    return streams.back();
  }
  bool IsReading() {
    // Only a session that reads takes what is said at once.
    const size_t before = Pings();
    Say(spdy::Ping{.id = 1});
    return Pings() > before;
  }
  size_t Pings() {
    for (const spdy::Frame& frame : Said()) pings += std::holds_alternative<spdy::Ping>(frame);
    return pings;
  }

  const std::shared_ptr<FakeStream> raw = std::make_shared<FakeStream>();
  const std::shared_ptr<SpdySession> session = std::make_shared<SpdySession>(raw);
  spdy::FrameWriter writer;
  spdy::FrameReader reader;
  size_t taken = 0, pings = 0;
  std::vector<std::shared_ptr<Channel>> streams;
  std::optional<absl::Status> ended;
};

TEST_F(SpdySessionTest, AStreamIsAnsweredAndCarriesBytesBothWays) {
  Say(spdy::SynStream{.stream = 1, .headers = {{"streamtype", "data"}}});
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(std::get<spdy::SynReply>(Said().at(0)).stream, 1u);
  Say(spdy::Data{.stream = 1, .bytes = "in"});
  EXPECT_EQ(**Read(*streams[0])->got, "in");
  const auto waiting = Read(*streams[0]);
  EXPECT_FALSE(waiting->got.has_value());
  Say(spdy::Data{.stream = 1, .fin = true});
  EXPECT_EQ(**waiting->got, "");
  bool written = false;
  streams[0]->Write("out", [&](absl::Status status) { written = status.ok(); });
  EXPECT_TRUE(written);
  streams[0]->End();
  const auto said = Said();
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(std::get<spdy::Data>(said[0]).bytes, "out");
  EXPECT_TRUE(std::get<spdy::Data>(said[1]).fin);
}

TEST_F(SpdySessionTest, AStreamThatIsNotReadHoldsTheConnection) {
  const auto stream = Open(1);
  EXPECT_TRUE(IsReading());
  for (int i = 0; i < 4; ++i) Say(spdy::Data{.stream = 1, .bytes = std::string(kChunk, 'x')});
  EXPECT_FALSE(IsReading());
  // Reading goes on where there is room again.
  size_t got = 0;
  while (got < 4 * kChunk) {
    const auto result = Read(*stream);
    ASSERT_TRUE(result->got.has_value() && result->got->ok());
    ASSERT_LE((*result->got)->size(), kChunk);
    got += (*result->got)->size();
  }
  EXPECT_TRUE(IsReading());
}

TEST_F(SpdySessionTest, AStreamThatIsDiscardedDoesNot) {
  const auto stream = Open(1);
  for (int i = 0; i < 4; ++i) Say(spdy::Data{.stream = 1, .bytes = std::string(kChunk, 'x')});
  EXPECT_FALSE(IsReading());
  stream->Discard();
  EXPECT_TRUE(IsReading());
  for (int i = 0; i < 9; ++i) Say(spdy::Data{.stream = 1, .bytes = std::string(kChunk, 'x')});
  EXPECT_TRUE(IsReading());
}

TEST_F(SpdySessionTest, APeerThatDoesNotReadIsNotReadEither) {
  raw->HoldWrites();
  constexpr size_t kSaid = 40000;
  std::string many;
  for (size_t i = 0; i < kSaid; ++i) many += writer.Write(spdy::Ping{.id = 1});
  for (size_t at = 0; at < many.size(); at += kChunk) raw->Say(many.substr(at, kChunk));
  // Nothing is lost: the rest is taken once the peer reads.
  EXPECT_FALSE(IsReading());
  while (raw->output().size() < many.size() + 12) raw->Take();
  EXPECT_EQ(Pings(), kSaid + 1);
  EXPECT_FALSE(ended.has_value());
}

TEST_F(SpdySessionTest, AResetStreamEndsAlone) {
  const auto first = Open(1), second = Open(3);
  const auto waiting = Read(*first);
  Say(spdy::RstStream{.stream = 1, .status = 5});
  EXPECT_TRUE(absl::IsCancelled(waiting->got->status()));
  absl::Status written;
  first->Write("late", [&](absl::Status status) { written = std::move(status); });
  EXPECT_TRUE(absl::IsCancelled(written));
  Say(spdy::Data{.stream = 1, .fin = true, .bytes = "late"});  // Crossed it on the way.
  Say(spdy::Data{.stream = 3, .bytes = "on"});
  EXPECT_EQ(**Read(*second)->got, "on");
  EXPECT_FALSE(ended.has_value());
}

TEST_F(SpdySessionTest, StreamsThatAreRefusedOrTooManyAreReset) {
  (void)Said();
  Say(spdy::SynStream{.stream = 1, .headers = {{"bad", "1"}}});
  auto said = Said();
  EXPECT_EQ(std::get<spdy::RstStream>(said.back()).status, 3u);
  for (uint32_t i = 0; i < SpdySession::kStreamsMax; ++i) Say(spdy::SynStream{.stream = 3 + 2 * i});
  for (const spdy::Frame& frame : Said())
    EXPECT_TRUE(std::holds_alternative<spdy::SynReply>(frame));
  Say(spdy::SynStream{.stream = 9999});
  said = Said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(std::get<spdy::RstStream>(said[0]).stream, 9999u);
  // One that has ended both ways makes room.
  Say(spdy::Data{.stream = 3, .fin = true});
  streams[1]->End();
  (void)Said();
  Say(spdy::SynStream{.stream = 10001});
  EXPECT_TRUE(std::holds_alternative<spdy::SynReply>(Said().at(0)));
}

TEST_F(SpdySessionTest, WhatIsNotSpdyEndsItWithAGoodbye) {
  const auto stream = Open(1);
  const auto waiting = Read(*stream);
  (void)Said();
  raw->Say(std::string(8, '\xff'));
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(absl::IsInvalidArgument(*ended)) << *ended;
  EXPECT_TRUE(absl::IsInvalidArgument(waiting->got->status()));
  EXPECT_EQ(std::get<spdy::GoAway>(Said().at(0)).status, 1u);
  EXPECT_TRUE(raw->closed().has_value());
}

TEST_F(SpdySessionTest, StreamsOnlyGoUpAndAreOdd) {
  Open(5);
  Say(spdy::SynStream{.stream = 3});
  EXPECT_TRUE(absl::IsInvalidArgument(ended.value())) << *ended;
}

TEST_F(SpdySessionTest, TheEndComesAfterWhatWasWritten) {
  const auto stream = Open(1);
  raw->HoldWrites();
  stream->Write(std::string(kChunk, 'x'), [](absl::Status) {});
  stream->Write(std::string(kChunk, 'y'), [](absl::Status) {});
  session->End(absl::OkStatus());
  EXPECT_FALSE(raw->closed().has_value());
  for (int i = 0; i < 4 && !raw->closed().has_value(); ++i) raw->Take();
  ASSERT_TRUE(raw->closed().has_value());
  size_t bytes = 0;
  const auto said = Said();
  for (const spdy::Frame& frame : said) {
    if (const auto* data = std::get_if<spdy::Data>(&frame)) bytes += data->bytes.size();
  }
  EXPECT_EQ(bytes, 2 * kChunk);
  EXPECT_TRUE(std::holds_alternative<spdy::GoAway>(said.back()));
}

TEST_F(SpdySessionTest, APeerThatLeavesEndsEverything) {
  const auto stream = Open(1);
  const auto waiting = Read(*stream);
  raw->Say("");
  EXPECT_TRUE(ended.value().ok());
  EXPECT_FALSE(waiting->got->ok());
}

// ---- WebSocket.

class WebSocketSessionTest : public ::testing::Test {
 protected:
  ~WebSocketSessionTest() override {
    if (session != nullptr) session->Abort();
  }
  void Start(WebSocketSession::Shape shape) {
    session = std::make_shared<WebSocketSession>(raw, shape);
    session->OnEnd([this](absl::Status status) { ended = std::move(status); });
    session->Start();
  }
  void Say(absl::string_view message) { raw->Say(Render(Opcode::kBinary, message, kMask)); }

  const std::shared_ptr<FakeStream> raw = std::make_shared<FakeStream>();
  std::shared_ptr<WebSocketSession> session;
  std::optional<absl::Status> ended;
};

TEST_F(WebSocketSessionTest, TheFirstByteIsTheChannel) {
  Start({.channels = 5});
  Say(std::string("\0in", 3));
  Say("\x04size");
  Say("\x63nobody");
  Say("");
  EXPECT_EQ(**Read(*session->channel(0))->got, "in");
  EXPECT_EQ(**Read(*session->channel(4))->got, "size");
  session->channel(1)->Write("out", [](absl::Status) {});
  EXPECT_EQ(raw->output(), Render(Opcode::kBinary, "\x01out"));
  // Without v5, 255 is a channel like others that are not there.
  Say(std::string("\xff\0", 2));
  EXPECT_FALSE(Read(*session->channel(0))->got.has_value());
}

TEST_F(WebSocketSessionTest, V5EndsAChannel) {
  Start({.channels = 5, .peer_closes = true});
  const auto waiting = Read(*session->channel(0));
  Say(std::string("\xff\0", 2));
  EXPECT_EQ(**waiting->got, "");
  Say("\xff\x63");  // None.
  EXPECT_FALSE(ended.has_value());
}

TEST_F(WebSocketSessionTest, PingsAreAnsweredAndACloseToo) {
  Start({.channels = 5});
  raw->Say(Render(Opcode::kPing, "p", kMask) + Render(Opcode::kPong, "q", kMask) +
           Render(Opcode::kClose, websocket::CloseBody(1000, ""), kMask));
  EXPECT_EQ(raw->output(),
            Render(Opcode::kPong, "p") + Render(Opcode::kClose, websocket::CloseBody(1000, "")));
  EXPECT_TRUE(ended.value().ok());
  EXPECT_TRUE(raw->closed().has_value());
}

TEST_F(WebSocketSessionTest, AChannelThatIsNotReadHoldsTheConnection) {
  Start({.channels = 5});
  for (int i = 0; i < 4; ++i) Say(std::string(1, '\0') + std::string(kChunk, 'x'));
  raw->Say(Render(Opcode::kPing, "p", kMask));
  EXPECT_EQ(raw->output(), "");
  session->channel(0)->Discard();
  EXPECT_EQ(raw->output(), Render(Opcode::kPong, "p"));
}

TEST_F(WebSocketSessionTest, WhatIsNotWebSocketEndsIt) {
  Start({.channels = 5});
  raw->Say(Render(Opcode::kBinary, "unmasked"));
  EXPECT_TRUE(absl::IsInvalidArgument(ended.value())) << *ended;
  EXPECT_NE(raw->output().find("clients mask their frames"), std::string::npos);
}

TEST_F(WebSocketSessionTest, BytesAreAStream) {
  Start({.framing = WebSocketSession::Framing::kBytes});
  const std::shared_ptr<pipe::ByteStream> stream = MakeWebSocketStream(session);
  std::string got;
  const auto read = [&] {
    stream->Read([&](absl::StatusOr<std::string> bytes) { got += bytes.value_or("error"); });
  };
  read();
  Say("one");
  read();
  Say("two");
  EXPECT_EQ(got, "onetwo");
  stream->Write("out", [](absl::Status) {});
  EXPECT_EQ(raw->output(), Render(Opcode::kBinary, "out"));
  read();
  stream->Close(absl::OkStatus());
  EXPECT_EQ(got, "onetwoerror");
  EXPECT_TRUE(raw->closed().has_value());
}

}  // namespace
}  // namespace skerry::edged
