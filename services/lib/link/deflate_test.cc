#include "services/lib/link/deflate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "services/lib/base/error.h"
#include "services/lib/link/frame_bytes.h"
#include "services/lib/link/frames.h"

namespace skerry::link {
namespace {

std::string RuleOf(const absl::Status& status) { return GetErrorInfo(status).metadata["rule"]; }

std::string Random(std::mt19937& rng, size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng());
  return bytes;
}

std::string Json(size_t size) {
  std::string json;
  for (uint64_t i = 0; json.size() < size; ++i)
    json +=
        "{\"name\":\"e" + std::to_string(i) + "\",\"value\":\"" + std::to_string(i * i) + "\"},";
  json.resize(size);
  return json;
}

TEST(DeflateTest, ComesBack) {
  for (const size_t size : {size_t{1}, size_t{512}, size_t{65535}, size_t{65536}, size_t{65537},
                            size_t{131072}, kObjectBytesMax, kChunkedBytesMax}) {
    const std::string json = Json(size);
    const std::optional<std::string> deflated = Deflate(json, size + 64);
    ASSERT_TRUE(deflated.has_value());
    absl::StatusOr<std::string> back = Inflate(*deflated, size);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(*back == json);
  }
}

// link-13.3
TEST(DeflateTest, AnotherSizeThanAnnouncedIsAViolation) {
  const std::string deflated = *Deflate(Json(200000), 200000);
  ASSERT_TRUE(Inflate(deflated, 200000).ok());
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{65536}, size_t{199999}, size_t{200001}, kChunkedBytesMax}) {
    EXPECT_EQ(RuleOf(Inflate(deflated, size).status()), "link-13.3") << size;
  }
  EXPECT_EQ(RuleOf(Inflate(deflated + "x", 200000).status()), "link-13.3");
}

// L4: what is little on the line costs a peer little.
TEST(DeflateTest, ABombIsAViolationHoweverMuchItAnnounces) {
  const std::string bomb = *Deflate(std::string(kChunkedBytesMax, 'x'), kChunkedBytesMax);
  ASSERT_LT(bomb.size(), kChunkedBytesMax / 200);
  const size_t most = kCompressRatioMax * bomb.size();
  for (const size_t size : {most, most + 1, kChunkedBytesMax})
    EXPECT_EQ(RuleOf(Inflate(bomb, size).status()), "link-13.3") << size;
}

TEST(DeflateTest, WhatIsTruncatedIsAViolation) {
  const std::string json = Json(5000);
  const std::string deflated = *Deflate(json, json.size());
  for (size_t size = 0; size < deflated.size(); ++size)
    EXPECT_EQ(RuleOf(Inflate(deflated.substr(0, size), json.size()).status()), "link-13.3") << size;
}

TEST(DeflateTest, GarbageIsAViolation) {
  const std::string json = Json(5000);
  const std::string deflated = *Deflate(json, json.size());
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 rng(seed);
    std::string damaged = deflated;
    damaged[rng() % damaged.size()] ^= static_cast<char>(1u << rng() % 8);
    absl::StatusOr<std::string> out = Inflate(damaged, json.size());
    // Its checksum is a weak one: now and then other text has the same.
    if (out.ok()) {
      EXPECT_EQ(out->size(), json.size()) << seed;
    } else {
      EXPECT_EQ(RuleOf(out.status()), "link-13.3");
    }
    EXPECT_EQ(RuleOf(Inflate(Random(rng, rng() % 3000), rng() % kChunkedBytesMax).status()),
              "link-13.3")
        << seed;
  }
}

// link-13.1
TEST(CompressTest, OnlyWherePays) {
  std::mt19937 rng(1);
  const auto compressed = [](std::string value) {
    return std::holds_alternative<Compressed>(
        Compress(Rank::kState, EdgeFrame(Report{1, "pods", "k", 0, {}, std::move(value)})));
  };
  EXPECT_FALSE(compressed(Json(300)));
  EXPECT_FALSE(compressed(Random(rng, 20000)));
  EXPECT_FALSE(compressed(std::string(20000, 'x')));  // More than the peer may be made to inflate.
  EXPECT_TRUE(compressed(Json(600)));
  EXPECT_TRUE(compressed(Json(20000)));
}

TEST(CompressTest, TheFrameComesBack) {
  EdgeFrame frame = Compress(Rank::kState, EdgeFrame(Report{7, "pods", "k", 0, {}, Json(20000)}));
  absl::StatusOr<EdgeFrame> sent = ParseEdgeFrame(Serialize(std::move(frame)));
  ASSERT_TRUE(sent.ok()) << sent.status();
  absl::StatusOr<EdgeFrame> back = UncompressEdgeFrame(std::get<Compressed>(*sent));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(std::get<Report>(*back).sequence, 7u);
  EXPECT_TRUE(std::get<Report>(*back).value == Json(20000));
}

Compressed Wrap(const std::string& bytes) {
  return {Rank::kState, bytes.size(), *Deflate(bytes, bytes.size() + 64)};
}

// link-13.4
TEST(CompressTest, NeitherChunksNorCompressedFramesAreInOne) {
  EXPECT_EQ(RuleOf(UncompressEdgeFrame(Wrap(Serialize(EdgeFrame(Wrap("x"))))).status()),
            "link-13.4");
  EXPECT_EQ(RuleOf(UncompressCloudFrame(Wrap(Serialize(CloudFrame(Wrap("x"))))).status()),
            "link-13.4");
  const Chunk chunk{Rank::kState, "x", true};
  EXPECT_EQ(RuleOf(UncompressEdgeFrame(Wrap(Serialize(EdgeFrame(chunk)))).status()), "link-13.4");
  EXPECT_EQ(RuleOf(UncompressCloudFrame(Wrap(Serialize(CloudFrame(chunk)))).status()), "link-13.4");
  EXPECT_EQ(RuleOf(UncompressEdgeFrame(Wrap("\xff\xff")).status()), "link-13.4");
}

}  // namespace
}  // namespace skerry::link
