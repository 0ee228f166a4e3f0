#include "services/lib/link/chunks.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "services/lib/base/error.h"
#include "services/lib/link/frame_bytes.h"

namespace skerry::link {
namespace {

std::string RuleOf(const absl::Status& status) { return GetErrorInfo(status).metadata["rule"]; }

TEST(ChunksTest, FramesOfEveryRankArriveWholeAndTheMostUrgentFirst) {
  ChunkSender sender;
  sender.Add(Rank::kState, "report pods", std::string(kChunkBytesMax * 2 + 1, 's'));
  sender.Add(Rank::kState, "report nodes", "n");
  sender.Add(Rank::kAlarm, "event alarms", std::string(kChunkBytesMax, 'a'));
  EXPECT_EQ(sender.bytes(), kChunkBytesMax * 3 + 2);
  ChunkReceiver receiver;
  std::vector<std::string> frames;
  while (sender.First().has_value()) {
    absl::StatusOr<std::optional<std::string>> frame =
        receiver.Receive(sender.Next(*sender.First()));
    ASSERT_TRUE(frame.ok()) << frame.status();
    if (frame->has_value()) frames.push_back(**frame);
  }
  EXPECT_EQ(frames, (std::vector<std::string>{std::string(kChunkBytesMax, 'a'),
                                              std::string(kChunkBytesMax * 2 + 1, 's'), "n"}));
  EXPECT_EQ(sender.bytes(), 0u);
}

TEST(ChunksTest, AMoreUrgentFramePassesOneUnderWay) {
  ChunkSender sender;
  ChunkReceiver receiver;
  const std::string state(kChunkBytesMax * 3, 's');
  sender.Add(Rank::kState, "report pods", state);
  EXPECT_FALSE((*receiver.Receive(sender.Next(*sender.First()))).has_value());
  sender.Add(Rank::kAlarm, "event alarms", "a");
  EXPECT_EQ(*receiver.Receive(sender.Next(*sender.First())), std::optional<std::string>("a"));
  EXPECT_FALSE((*receiver.Receive(sender.Next(*sender.First()))).has_value());
  EXPECT_EQ(*receiver.Receive(sender.Next(*sender.First())), std::optional<std::string>(state));
}

TEST(ChunksTest, AFlowIsHeldUntilItsLastChunkIsSent) {
  ChunkSender sender;
  sender.Add(Rank::kState, "report pods", std::string(kChunkBytesMax + 1, 's'));
  (void)sender.Next(*sender.First());
  EXPECT_TRUE(sender.Holds("report pods"));
  EXPECT_FALSE(sender.Holds("report nodes"));
  (void)sender.Next(*sender.First());
  EXPECT_FALSE(sender.Holds("report pods"));
}

// link-12.3: what one peer can have the other keep.
TEST(ChunksTest, IncompleteFramesAreBoundedTogether) {
  ChunkReceiver receiver;
  size_t bytes = 0;
  for (int i = 0;; ++i) {
    const Rank rank = i % 2 == 0 ? Rank::kState : Rank::kBulk;
    absl::StatusOr<std::optional<std::string>> frame =
        receiver.Receive({rank, std::string(kChunkBytesMax, 'x'), false});
    if (!frame.ok()) {
      EXPECT_EQ(RuleOf(frame.status()), "link-12.3");
      break;
    }
    bytes += kChunkBytesMax;
  }
  EXPECT_EQ(bytes, kChunkedBytesMax);
}

// link-12.2
TEST(ChunksTest, WhatIsNoFrameIsAViolation) {
  EXPECT_EQ(RuleOf(ParseEdgeFrame("\xff\xff").status()), "link-12.2");
  EXPECT_EQ(RuleOf(ParseEdgeFrame(Serialize(EdgeFrame(Chunk{Rank::kBulk, "x", true}))).status()),
            "link-12.2");
  EXPECT_EQ(RuleOf(ParseCloudFrame(Serialize(CloudFrame(Chunk{Rank::kBulk, "x", true}))).status()),
            "link-12.2");
  EXPECT_TRUE(ParseCloudFrame(Serialize(CloudFrame(Resync{"pods"}))).ok());
}

// What is sent whole is never larger on the wire than it was taken for.
TEST(ChunksTest, FrameBytesAreAtLeastThoseOnTheWire) {
  const absl::Status error =
      Error(absl::StatusCode::kInvalidArgument, std::string(300, 'm')).Reason("WHY").Meta("a", "b");
  const EdgeFrame up[] = {
      Subscribe{"pods", ~0ull, {{std::string(320, 'k'), std::string(256, 'v')}, {"a", "b"}}, true},
      ResourceAck{"pods", ~0ull, ~0ull, {{~0ull, error}, {1, error}}},
      Report{~0ull, "pods", "k", -1, {-1, ~0u}, std::string(20000, 'r')},
      EventBatch{"alarms", {{~0ull, ~0ull, absl::FromUnixNanos(1), "k", std::string(9000, 'e')}}},
      Chunk{Rank::kBulk, std::string(kChunkBytesMax, 'c'), true},
      TunnelData{~0ull, std::string(kTunnelDataBytesMax, 'd')}};
  for (const EdgeFrame& frame : up) EXPECT_LE(Serialize(frame).size(), FrameBytes(frame));
  const CloudFrame down[] = {
      ResourceChange{"pods",
                     ~0ull,
                     ~0ull,
                     {Change::Kind::kUpsert, std::string(320, 'k'), std::string(256, 'v'), "{}"}},
      ReportAck{"pods", ~0ull, {{~0ull, error}}}, EventAck{"alarms", ~0ull, {{~0ull, error}}}};
  for (const CloudFrame& frame : down) EXPECT_LE(Serialize(frame).size(), FrameBytes(frame));
}

}  // namespace
}  // namespace skerry::link
