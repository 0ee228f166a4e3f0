#include "services/lib/link/wire.h"

#include <gtest/gtest.h>

#include <random>

#include "services/lib/base/error.h"
#include "services/lib/link/testing/frame_text.h"

namespace skerry::link {
namespace {

using testing::Text;

template <typename Frame>
void ExpectSame(Frame frame) {
  const std::string before = Text(frame);
  auto after = FromWire(ToWire(std::move(frame)));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(Text(*after), before);
}

std::string RuleOf(const absl::Status& status) { return GetErrorInfo(status).metadata["rule"]; }

TEST(WireTest, EveryFrameOfTheEdgeComesBack) {
  ExpectSame(EdgeFrame(Hello{1, "boot", "journal", "v1", 9}));
  ExpectSame(EdgeFrame(Hello{1, "boot", "journal", "v1", 9, "events", absl::Milliseconds(7500)}));
  const Hello metered{1, "boot", "journal", "v1", 9, "events", absl::ZeroDuration(), {1000, 65536}};
  ExpectSame(EdgeFrame(metered));
  EXPECT_EQ(std::get<Hello>(*FromWire(ToWire(EdgeFrame(metered)))).down_limit, metered.down_limit);
  ExpectSame(EdgeFrame(Subscribe{"pods", 7, {{"default/a", "u/1"}, {"edge-1", ""}}, true}));
  ExpectSame(EdgeFrame(Unsubscribe{"devices.devices.kubeedge.io", 8}));
  ExpectSame(EdgeFrame(ResourceAck{"pods", 7, 9, {{8, absl::InvalidArgumentError("x")}}}));
  ExpectSame(EdgeFrame(Report{3, "nodes", "edge-1", 4, {5, 6}, "value"}));
  ExpectSame(EdgeFrame(Heartbeat{}));
  ExpectSame(EdgeFrame(Heartbeat{absl::Milliseconds(22500)}));
  ExpectSame(EdgeFrame(EpochStored{}));
  ExpectSame(EdgeFrame(Compressed{Rank::kBulk, 9, "x"}));
  ExpectSame(CloudFrame(Compressed{Rank::kSync, 9, "x"}));
  for (const Rank rank :
       {Rank::kSync, Rank::kAlarm, Rank::kCommand, Rank::kTelemetry, Rank::kState, Rank::kBulk}) {
    ExpectSame(EdgeFrame(Chunk{rank, "data", rank == Rank::kBulk}));
    ExpectSame(CloudFrame(Chunk{rank, "data", rank == Rank::kSync}));
  }
  using Stage = CommandReceipt::Stage;
  ExpectSame(EdgeFrame(CommandReceipt{"k", Stage::kDelivered, absl::OkStatus(), ""}));
  ExpectSame(EdgeFrame(CommandReceipt{"k", Stage::kStarted, absl::OkStatus(), ""}));
  ExpectSame(EdgeFrame(CommandReceipt{"k", Stage::kReturned, NoCommandTaker("method"), ""}));
  ExpectSame(EdgeFrame(CommandReceipt{"k", Stage::kDone, absl::OkStatus(), "response"}));
  ExpectSame(EdgeFrame(CommandTakers{}));
  ExpectSame(EdgeFrame(CommandTakers{{"method", "http"}}));
  ExpectSame(EdgeFrame(TunnelAccept{4, 262144}));
  ExpectSame(EdgeFrame(TunnelData{4, std::string("\0b", 2)}));
  ExpectSame(EdgeFrame(TunnelCredit{4, 65536}));
  ExpectSame(EdgeFrame(TunnelClose{4, true, absl::OkStatus()}));
  ExpectSame(EdgeFrame(TunnelClose{4, false, absl::UnavailableError("gone")}));
}

TEST(WireTest, EveryFrameOfTheCloudComesBack) {
  ExpectSame(
      CloudFrame(Welcome{7, absl::Milliseconds(15500), "hub", absl::FromUnixMillis(1234567)}));
  ExpectSame(
      CloudFrame(ResourceChange{"pods", 1, 2, {Change::Kind::kUpsert, "default/a", "u/1", "{}"}}));
  ExpectSame(
      CloudFrame(ResourceChange{"pods", 1, 3, {Change::Kind::kDelete, "default/a", "", ""}}));
  ExpectSame(CloudFrame(ResourceChange{"pods", 1, 4, {Change::Kind::kSynced, "", "", ""}}));
  ExpectSame(CloudFrame(ReportAck{"pods", 3, {{2, absl::NotFoundError("gone")}}}));
  ExpectSame(CloudFrame(Heartbeat{}));
  ExpectSame(CloudFrame(Heartbeat{absl::Milliseconds(22500)}));
  ExpectSame(CloudFrame(Resync{"pods"}));
  ExpectSame(CloudFrame(GoAway{"DRAINING", absl::Seconds(3)}));
  ExpectSame(CloudFrame(
      Command{"k", "method", "payload", absl::Milliseconds(1500), absl::ZeroDuration(), true}));
  ExpectSame(CloudFrame(TunnelOpen{4, "kubelet", "t", 262144}));
  ExpectSame(CloudFrame(TunnelData{4, "b"}));
  ExpectSame(CloudFrame(TunnelCredit{4, 1}));
  ExpectSame(CloudFrame(TunnelClose{4, false, absl::OkStatus()}));
}

// link-13.2, link-13.3
TEST(WireTest, CompressedFramesOfUnknownKindOrTooLargeAreViolations) {
  const auto rule = [](auto change) {
    v1::EdgeFrame frame = ToWire(EdgeFrame(Compressed{Rank::kBulk, 9, "x"}));
    change(*frame.mutable_compressed());
    return RuleOf(FromWire(std::move(frame)).status());
  };
  EXPECT_EQ(rule([](v1::Compressed& m) { m.clear_algorithm(); }), "link-13.2");
  EXPECT_EQ(rule([](v1::Compressed& m) { m.clear_rank(); }), "link-7.2");
  EXPECT_EQ(rule([](v1::Compressed& m) { m.clear_size(); }), "link-13.3");
  EXPECT_EQ(rule([](v1::Compressed& m) { m.set_size(kChunkedBytesMax + 1); }), "link-13.3");
  EXPECT_EQ(rule([](v1::Compressed& m) { m.set_size(~0ull); }), "link-13.3");
}

TEST(WireTest, KeepsWhatIsAccepted) {
  for (const bool accepts : {false, true}) {
    auto hello =
        FromWire(ToWire(EdgeFrame(Hello{1, "boot", "journal", "v1", 9, "", {}, {}, accepts})));
    ASSERT_TRUE(hello.ok());
    EXPECT_EQ(std::get<Hello>(*hello).accepts_deflate, accepts);
    auto welcome = FromWire(
        ToWire(CloudFrame(Welcome{7, absl::Seconds(15), "hub", absl::FromUnixMillis(1), accepts})));
    ASSERT_TRUE(welcome.ok());
    EXPECT_EQ(std::get<Welcome>(*welcome).accepts_deflate, accepts);
  }
}

TEST(WireTest, KeepsTimesAndValues) {
  absl::StatusOr<Report> report =
      FromWire(ToWire(Report{3, "nodes", "edge-1", 4, {5, 6}, std::string("a\0b", 3)}));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->time, (HybridTime{5, 6}));
  EXPECT_EQ(report->generation, 4);
  EXPECT_EQ(report->value, std::string("a\0b", 3));
  auto frame = FromWire(ToWire(
      CloudFrame(Welcome{7, absl::Milliseconds(15500), "hub", absl::FromUnixMillis(1234567)})));
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(std::get<Welcome>(*frame).heartbeat_interval, absl::Milliseconds(15500));
  EXPECT_EQ(std::get<Welcome>(*frame).cloud_time, absl::FromUnixMillis(1234567));
}

// link-3.1
TEST(WireTest, RefusesAnIntervalBelowZero) {
  const absl::Duration interval = absl::Milliseconds(-1);
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Heartbeat{interval}))).status()), "link-3.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(CloudFrame(Heartbeat{interval}))).status()), "link-3.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Hello{1, "boot", "", "", 0, "", interval}))).status()),
            "link-3.1");
}

// Nothing is spent on what says nothing.
TEST(WireTest, AHeartbeatHasTwoBytes) {
  EXPECT_EQ(ToWire(EdgeFrame(Heartbeat{})).ByteSizeLong(), 2u);
  EXPECT_EQ(ToWire(CloudFrame(Heartbeat{})).ByteSizeLong(), 2u);
}

// link-7.1, link-7.2
TEST(WireTest, RefusesWhatIsBeyondABound) {
  EXPECT_EQ(RuleOf(FromWire(v1::EdgeFrame()).status()), "link-7.2");
  EXPECT_EQ(RuleOf(FromWire(v1::CloudFrame()).status()), "link-7.2");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Unsubscribe{"", 1}))).status()), "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Unsubscribe{"Not A Type", 1}))).status()), "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Hello{1, std::string(300, 'b'), "", ""}))).status()),
            "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Hello{1, "", "journal", ""}))).status()), "link-7.1");
  for (const ByteLimit limit :
       {ByteLimit{kBudgetRateMin - 1, kBudgetBurstMin}, ByteLimit{kBudgetRateMax + 1, 65536},
        ByteLimit{0, 65536}, ByteLimit{1000, kBudgetBurstMin - 1},
        ByteLimit{1000, kBudgetBurstMax + 1}}) {
    EXPECT_EQ(
        RuleOf(
            FromWire(ToWire(EdgeFrame(Hello{1, "b", "journal", "", 0, "", {}, limit}))).status()),
        "link-14.1");
  }
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Subscribe{"pods", 1, {{"", "v"}}, false}))).status()),
            "link-7.1");
  EXPECT_EQ(
      RuleOf(FromWire(ToWire(EdgeFrame(Subscribe{
                          "pods", 1, std::vector<Holding>(kHoldingsPerFrameMax + 1, {"a", "b"}),
                          false})))
                 .status()),
      "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Report{1, "pods", std::string(400, 'k'), 0, {}, ""})))
                       .status()),
            "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Report{
                                1, "pods", "a", 0, {}, std::string(kObjectBytesMax + 1, 'v')})))
                       .status()),
            "link-7.1");
  EXPECT_EQ(
      RuleOf(FromWire(ToWire(CloudFrame(ResourceChange{"pods",
                                                       1,
                                                       1,
                                                       {Change::Kind::kUpsert, "a", "v",
                                                        std::string(kObjectBytesMax + 1, 'o')}})))
                 .status()),
      "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(TunnelData{1, ""}))).status()), "link-7.1");
  EXPECT_EQ(
      RuleOf(FromWire(ToWire(EdgeFrame(TunnelData{1, std::string(kTunnelDataBytesMax + 1, 'd')})))
                 .status()),
      "link-7.1");
  EXPECT_EQ(
      RuleOf(FromWire(ToWire(EdgeFrame(TunnelAccept{1, kTunnelCreditBytesMax + 1}))).status()),
      "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(CloudFrame(TunnelOpen{
                                1, "kubelet", std::string(kTunnelTargetBytesMax + 1, 't'), 1})))
                       .status()),
            "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(Chunk{Rank::kBulk, "", true}))).status()), "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(CloudFrame(
                                Chunk{Rank::kSync, std::string(kChunkBytesMax + 1, 'c'), true})))
                       .status()),
            "link-7.1");
  v1::EdgeFrame no_rank;
  no_rank.mutable_chunk()->set_data("data");
  EXPECT_EQ(RuleOf(FromWire(no_rank).status()), "link-7.2");
  v1::CloudFrame no_change;
  no_change.mutable_resource()->set_type("pods");
  EXPECT_EQ(RuleOf(FromWire(no_change).status()), "link-7.2");
}

// link-7.7
TEST(WireTest, RefusesCommandsBeyondABound) {
  const Command good{"k", "method", "", absl::Seconds(1), absl::Seconds(1)};
  auto rule = [](Command command) {
    return RuleOf(FromWire(ToWire(CloudFrame(std::move(command)))).status());
  };
  EXPECT_EQ(rule(good), "");
  Command command = good;
  command.key = "";
  EXPECT_EQ(rule(command), "link-7.7");
  command.key.assign(kCommandKeyBytesMax + 1, 'k');
  EXPECT_EQ(rule(command), "link-7.1");
  command = good;
  command.type = "Not A Type";
  EXPECT_EQ(rule(command), "link-7.1");
  command = good;
  command.payload.assign(kCommandBytesMax + 1, 'p');
  EXPECT_EQ(rule(command), "link-7.1");
  for (absl::Duration deadline : {absl::ZeroDuration(), absl::Seconds(-1), absl::Hours(25)}) {
    command = good;
    command.deadline = deadline;
    EXPECT_EQ(rule(command), "link-7.7") << deadline;
  }
  for (absl::Duration expire_in : {absl::Seconds(-1), absl::Hours(24 * 31)}) {
    command = good;
    command.expire_in = expire_in;
    EXPECT_EQ(rule(command), "link-7.7") << expire_in;
  }
  EXPECT_EQ(
      RuleOf(
          FromWire(
              ToWire(EdgeFrame(CommandReceipt{
                  "k", CommandReceipt::Stage::kDone, {}, std::string(kCommandBytesMax + 1, 'r')})))
              .status()),
      "link-7.1");
  const absl::Status long_status = absl::InternalError(std::string(kCommandStatusBytesMax, 's'));
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(CommandReceipt{"k", CommandReceipt::Stage::kDone,
                                                            long_status, ""})))
                       .status()),
            "link-7.1");
  EXPECT_EQ(RuleOf(FromWire(ToWire(EdgeFrame(CommandTakers{
                                std::vector<std::string>(kCommandTypesMax + 1, "a")})))
                       .status()),
            "link-7.7");
  v1::EdgeFrame no_stage;
  no_stage.mutable_command_receipt()->set_key("k");
  EXPECT_EQ(RuleOf(FromWire(no_stage).status()), "link-7.2");
}

// Whatever bytes a peer sends are a frame or an error.
TEST(WireTest, RandomBytesAreAnswered) {
  std::mt19937_64 rng(1);
  const std::string good =
      ToWire(EdgeFrame(Subscribe{"pods", 7, {{"default/a", "u/1"}}, true})).SerializeAsString();
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    for (uint64_t flips = rng() % 4; flips > 0; --flips)
      bytes[rng() % bytes.size()] = static_cast<char>(rng());
    v1::EdgeFrame edge;
    if (edge.ParseFromString(bytes)) (void)FromWire(edge);
    v1::CloudFrame cloud;
    if (cloud.ParseFromString(bytes)) (void)FromWire(cloud);
  }
}

}  // namespace
}  // namespace skerry::link
