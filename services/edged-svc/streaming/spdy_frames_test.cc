#include "services/edged-svc/streaming/spdy_frames.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/edged-svc/streaming/spdy_dictionary.h"
#include "services/lib/base/error.h"

namespace skerry::edged::spdy {
namespace {

std::vector<Frame> ReadAll(FrameReader& reader, absl::string_view bytes, size_t step) {
  std::vector<Frame> frames;
  for (size_t at = 0; at < bytes.size(); at += step) {
    reader.Put(bytes.substr(at, step));
    while (true) {
      auto frame = reader.Next();
      EXPECT_TRUE(frame.ok()) << frame.status();
      if (!frame.ok() || !frame->has_value()) break;
      frames.push_back(**std::move(frame));
    }
  }
  return frames;
}

absl::Status FirstError(absl::string_view bytes) {
  FrameReader reader;
  reader.Put(bytes);
  while (true) {
    auto frame = reader.Next();
    if (!frame.ok()) return frame.status();
    if (!frame->has_value()) return absl::OkStatus();
  }
}

std::string Bytes(absl::string_view hex) { return absl::HexStringToBytes(hex); }

TEST(SpdyDictionaryTest, IsTheDrafts) {
  const std::string& dictionary = HeaderDictionary();
  EXPECT_EQ(dictionary.size(), 1423u);
  // What every SPDY/3 peer's zlib stream names.
  EXPECT_EQ(adler32(adler32(0, nullptr, 0), reinterpret_cast<const Bytef*>(dictionary.data()),
                    static_cast<uInt>(dictionary.size())),
            0xe3c6a7c2u);
}

TEST(SpdyFramesTest, EveryFrameIsReadAsWritten) {
  FrameWriter writer;
  const Headers headers = {{"streamtype", "stdout"}, {"port", "80"}, {"empty", ""}};
  std::string bytes;
  bytes += writer.Write(SynStream{.stream = 1, .associated = 3, .priority = 5, .fin = true});
  bytes += writer.Write(SynStream{.stream = 7, .unidirectional = true, .headers = headers});
  bytes += writer.Write(SynReply{.stream = 1, .headers = headers});
  bytes += writer.Write(MoreHeaders{.stream = 1, .fin = true, .headers = {{"more", "x"}}});
  bytes += writer.Write(RstStream{.stream = 7, .status = 3});
  bytes += writer.Write(Settings{.entries = {{4, 100}, {7, 65536}}});
  bytes += writer.Write(Ping{.id = 0x80000001});
  bytes += writer.Write(GoAway{.last_good_stream = 7, .status = 1});
  bytes += writer.Write(WindowUpdate{.stream = 1, .delta = 1000});
  bytes += writer.Write(Data{.stream = 1, .fin = true, .bytes = "hello"});
  bytes += writer.Write(Data{.stream = 3, .fin = true});
  for (const size_t step : {size_t{1}, size_t{13}, bytes.size()}) {
    FrameReader reader;
    const std::vector<Frame> frames = ReadAll(reader, bytes, step);
    ASSERT_GE(frames.size(), 11u) << step;
    const auto& first = std::get<SynStream>(frames[0]);
    EXPECT_EQ(std::make_pair(first.stream, first.associated), std::make_pair(1u, 3u));
    EXPECT_EQ(first.priority, 5);
    EXPECT_TRUE(first.fin && !first.unidirectional && first.headers.empty());
    const auto& second = std::get<SynStream>(frames[1]);
    EXPECT_TRUE(!second.fin && second.unidirectional);
    EXPECT_EQ(second.headers, headers);
    EXPECT_EQ(std::get<SynReply>(frames[2]).headers, headers);
    EXPECT_TRUE(std::get<MoreHeaders>(frames[3]).fin);
    EXPECT_EQ(std::get<RstStream>(frames[4]).status, 3u);
    EXPECT_EQ(std::get<Settings>(frames[5]).entries.at(1), std::make_pair(7u, 65536u));
    EXPECT_EQ(std::get<Ping>(frames[6]).id, 0x80000001u);
    EXPECT_EQ(std::get<GoAway>(frames[7]).last_good_stream, 7u);
    EXPECT_EQ(std::get<WindowUpdate>(frames[8]).delta, 1000u);
    std::string text;
    bool fin = false;
    for (size_t i = 9; i + 1 < frames.size(); ++i) {
      const Data& piece = std::get<Data>(frames[i]);
      EXPECT_FALSE(fin);
      EXPECT_EQ(piece.stream, 1u);
      text += piece.bytes;
      fin = piece.fin;
    }
    EXPECT_EQ(text, "hello");
    EXPECT_TRUE(fin);
    const Data& last = std::get<Data>(frames.back());
    EXPECT_TRUE(last.stream == 3 && last.fin && last.bytes.empty());
  }
}

TEST(SpdyFramesTest, OneDataFrameOfManyReads) {
  FrameReader reader;
  reader.Put(Bytes("00000005000003e8"));  // Stream 5, 1000 bytes.
  EXPECT_FALSE(reader.Next()->has_value());
  reader.Put(std::string(600, 'a'));
  EXPECT_EQ(std::get<Data>(**reader.Next()).bytes.size(), 600u);
  reader.Put(std::string(400, 'b'));
  EXPECT_EQ(std::get<Data>(**reader.Next()).bytes, std::string(400, 'b'));
  EXPECT_FALSE(reader.Next()->has_value());
}

TEST(SpdyFramesTest, FindIsTheFirstOfSeveralValues) {
  const Headers headers = {{"a", std::string("x\0y", 3)}, {"b", "z"}};
  EXPECT_EQ(Find(headers, "a"), "x");
  EXPECT_EQ(Find(headers, "b"), "z");
  EXPECT_EQ(Find(headers, "c"), "");
}

TEST(SpdyFramesTest, UnknownControlFramesArePassedOver) {
  FrameReader reader;
  reader.Put(
      Bytes("800300ff00000003aabbcc"
            "8003000600000004"
            "00000001"));
  EXPECT_EQ(std::get<Ping>(**reader.Next()).id, 1u);
}

TEST(SpdyFramesTest, WhatIsNotSpdyIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"8002000600000004", "a frame of version 2"},
      {"8003000600010001", "a control frame of 65537 bytes; at most 65536"},
      {"800300060000000300000000", "a PING that is not 4 bytes long"},
      {"800300030000000400000001", "an RST_STREAM that is not 8 bytes long"},
      {"800300070000000400000001", "a GOAWAY that is not 8 bytes long"},
      {"800300090000000400000001", "a WINDOW_UPDATE that is not 8 bytes long"},
      {"80030001000000020000", "a short SYN_STREAM"},
      {"80030002000000020000", "a short SYN_REPLY"},
      {"80030008000000020000", "a short HEADERS"},
      {"80030004000000020000", "a SETTINGS frame without a count"},
      {"8003000400000004ffffffff", "a SETTINGS frame of 4294967295 entries in 4 bytes; at most 64"},
      {"0000000000000001", "data of stream 0"},
      {"8003000200000008"
       "00000001"
       "deadbeef",
       "headers that zlib can't inflate"},
  };
  for (const auto& [hex, why] : cases) {
    const absl::Status error = FirstError(Bytes(hex));
    EXPECT_EQ(error.message(), absl::StrCat("not SPDY/3.1: ", why)) << hex;
    EXPECT_EQ(GetErrorInfo(error).reason, "SPDY_FRAME_INVALID");
  }
}

TEST(SpdyFramesTest, HeadersAreBounded) {
  const auto refused = [](const Headers& headers) {
    FrameWriter writer;
    return std::string(
        FirstError(writer.Write(SynReply{.stream = 1, .headers = headers})).message());
  };
  EXPECT_EQ(refused({{"a", std::string(kHeaderBytesMax - 14, 'x')}}), "");
  EXPECT_EQ(refused({{"a", std::string(kHeaderBytesMax, 'x')}}),
            "not SPDY/3.1: headers of more than 65536 bytes");
  EXPECT_EQ(refused(Headers(kHeadersMax, {"a", "b"})), "");
  EXPECT_EQ(refused(Headers(kHeadersMax + 1, {"a", "b"})),
            "not SPDY/3.1: 129 headers; at most 128");
}

}  // namespace
}  // namespace skerry::edged::spdy
