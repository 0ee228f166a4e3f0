#include "tools/skerryctl/top/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::skerryctl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

void Set(absl::Duration before_now, google::protobuf::Timestamp* time) {
  time->set_seconds(absl::ToUnixSeconds(kNow - before_now));
}

// At `number` seconds; everything that counts grows.
BoxSnapshot Look(int number) {
  BoxSnapshot out;
  out.time = kNow + absl::Seconds(number);
  out.monotonic = absl::Seconds(100 + number);
  edgehub::v1::EdgeHubStatus hub;
  hub.set_node("edge-1");
  hub.set_cloud_address("hub:10000");
  hub.mutable_link()->set_connected(true);
  Set(absl::Minutes(5), hub.mutable_link()->mutable_change_time());
  auto* traffic = hub.add_traffic();
  traffic->set_up_bytes(1000 + 2000 * number);
  traffic->set_down_bytes(500);
  hub.mutable_journal()->set_entries(3);
  hub.mutable_journal()->set_size_bytes(20 << 10);
  hub.mutable_journal()->set_size_bytes_max(64 << 20);
  Set(absl::Seconds(30), hub.mutable_journal()->mutable_oldest_time());
  auto* stream = hub.add_streams();
  stream->set_stream("telemetry");
  auto* type = hub.add_types();
  type->set_type("pods");
  type->set_synced(true);
  type = hub.add_types();
  type->set_type("secrets");
  out.hub = hub;
  meta::v1::MetaStatus meta;
  auto* stored = meta.add_types();
  stored->set_type("secrets");
  Set(absl::Minutes(10), stored->mutable_last_synced_time());
  stored->mutable_behind()->set_seconds(20 + number);
  out.meta = meta;
  edged::v1::RunningPod pod;
  pod.set_key("default/web");
  pod.set_uid("u1");
  pod.set_status_json(
      R"({"phase":"Running","containerStatuses":[{"restartCount":2,"state":{"running":{}}}]})");
  pod.mutable_usage()->mutable_cpu_time()->set_seconds(number);
  pod.mutable_usage()->set_memory_bytes(20 << 20);
  pod.mutable_usage()->mutable_read_time()->set_seconds(1000 + 4 * number);
  edged::v1::RunningPod waiting;
  waiting.set_key("default/new");
  waiting.set_uid("u2");
  out.pods = std::vector<edged::v1::RunningPod>{waiting, pod};
  out.devices = std::map<std::string, int>{{"online", 2}, {"unknown", 1}};
  out.rtt = absl::Microseconds(12345);
  out.processes = {{.name = "edgehub-svc",
                    .pid = 7,
                    .start_ticks = 1,
                    .cpu_time = absl::Milliseconds(10 * number),
                    .resident_bytes = 21 << 20,
                    .proportional_bytes = 14 << 20},
                   {.name = "twin-svc", .pid = 8, .start_ticks = number, .resident_bytes = 1}};
  return out;
}

TEST(TopViewTest, ABox) {
  const json view = BoxView(Look(0), Look(2));
  EXPECT_EQ(view["node"], "edge-1");
  EXPECT_EQ(view["link"]["rttMilliseconds"], 12.345);
  EXPECT_EQ(view["link"]["upBytesPerSecond"], 2000);
  EXPECT_EQ(view["link"]["downBytesPerSecond"], 0);
  EXPECT_EQ(view["journal"][0]["oldestSeconds"], 32);
  EXPECT_EQ(view["journal"][1]["class"], "telemetry");
  EXPECT_EQ(view["journal"][1]["oldestSeconds"], nullptr);
  EXPECT_EQ(view["sync"][0]["lagSeconds"], 0);
  EXPECT_EQ(view["sync"][1]["lagSeconds"], 22);
  EXPECT_EQ(view["pods"][0]["cpuMillicores"], nullptr);
  EXPECT_EQ(view["pods"][1]["cpuMillicores"], 250);
  EXPECT_EQ(view["pods"][1]["restarts"], 2);
  EXPECT_EQ(view["services"][0]["cpuMillicores"], 10);
  EXPECT_EQ(view["services"][1]["cpuMillicores"], nullptr);  // Of another process with its pid.
  EXPECT_EQ(view["errors"], json::object());
  const std::string text = BoxText(view);
  EXPECT_THAT(
      text,
      HasSubstr("edge-1   link up for 5m, hub:10000, rtt 12.3 ms, up 2000 B/s, down 0 B/s\n"));
  EXPECT_THAT(text, HasSubstr("1 of 2 types in step with the cloud; behind: secrets (22s)\n"));
  EXPECT_THAT(text, HasSubstr("devices   2 online, 1 unknown\n"));
  EXPECT_THAT(text, HasSubstr("reports     3        20 KiB   64 MiB   32s\n"));
  EXPECT_THAT(text, HasSubstr("default/web   Running   2          250m   20 MiB\n"));
  EXPECT_THAT(text, HasSubstr("edgehub-svc   7     10m   21 MiB   14 MiB\n"));
}

TEST(TopViewTest, WithoutALinkOnlyWhatLaggedBeforeIsBehind) {
  BoxSnapshot now = Look(2);
  now.hub->mutable_link()->set_connected(false);
  for (auto& type : *now.hub->mutable_types()) type.set_synced(false);
  auto* pods = now.meta->add_types();
  pods->set_type("pods");
  pods->mutable_behind();
  EXPECT_THAT(BoxText(BoxView(now, now)),
              HasSubstr("0 of 2 types in step with the cloud; behind: secrets (22s)\n"));
  now.meta->mutable_types(0)->mutable_behind()->set_seconds(0);
  EXPECT_THAT(BoxText(BoxView(now, now)), HasSubstr("0 of 2 types in step with the cloud\n"));
}

TEST(TopViewTest, WhatNobodyCountsIsNotKnown) {
  BoxSnapshot now = Look(2);
  now.meta->mutable_types(0)->clear_behind();  // Of an older edge-meta-svc.
  EXPECT_EQ(BoxView(now, now)["sync"][1]["lagSeconds"], nullptr);
  EXPECT_THAT(BoxText(BoxView(now, now)), HasSubstr("behind: secrets (-)\n"));
}

TEST(TopViewTest, TheFirstLookHasNoRates) {
  const json view = BoxView(BoxSnapshot(), Look(2));
  EXPECT_EQ(view["link"]["upBytesPerSecond"], nullptr);
  EXPECT_EQ(view["pods"][1]["cpuMillicores"], nullptr);
  EXPECT_EQ(view["services"][0]["cpuMillicores"], nullptr);
  EXPECT_THAT(BoxText(view), HasSubstr("up -/s, down -/s"));
}

TEST(TopViewTest, CountersThatBeganAnewAreNoRates) {
  const json view = BoxView(Look(4), [] {
    BoxSnapshot now = Look(2);
    now.monotonic = absl::Seconds(200);
    return now;
  }());
  EXPECT_EQ(view["link"]["upBytesPerSecond"], nullptr);
  EXPECT_EQ(view["pods"][1]["cpuMillicores"], nullptr);
}

TEST(TopViewTest, SaysWhoIsAway) {
  BoxSnapshot now;
  now.hub = absl::UnavailableError("no \x1b[2J socket");
  const std::string text = BoxText(BoxView(now, now));
  EXPECT_THAT(text, HasSubstr("link not known\n"));
  EXPECT_THAT(text, HasSubstr("devices   not known\n"));
  EXPECT_THAT(text, HasSubstr("edgehub-svc not reachable: UNAVAILABLE: no ?[2J socket\n"));
  EXPECT_THAT(text, HasSubstr("edged-svc not reachable"));
}

TEST(TopViewTest, SessionsThatLagComeFirst) {
  const auto session = [](const char* node, int64_t pending, int silent) {
    cloudhub::v1::NodeSessionInfo out;
    out.set_node(node);
    out.set_pending_bytes(pending);
    Set(absl::Hours(1), out.mutable_connect_time());
    Set(absl::Seconds(silent), out.mutable_last_receive_time());
    return out;
  };
  const CloudSnapshot before{kNow, absl::Seconds(1), {session("b", 5000, 1)}};
  const CloudSnapshot now{
      kNow, absl::Seconds(3), {session("a", 0, 1), session("b", 1000, 1), session("c", 0, 9)}};
  const json view = CloudView(before, now);
  EXPECT_EQ(view["pendingBytes"], 1000);
  EXPECT_EQ(view["sessions"][0]["node"], "b");
  EXPECT_EQ(view["sessions"][0]["pendingBytesPerSecond"], -2000);
  EXPECT_EQ(view["sessions"][1]["node"], "c");
  const std::string text = CloudText(view);
  EXPECT_THAT(text, HasSubstr("3 sessions, 1000 B wait to go down\n"));
  EXPECT_THAT(text, HasSubstr("b      60m         1s           1000 B    -2000 B/s"));
}

TEST(FittedTest, CutsLinesAndPages) {
  EXPECT_EQ(Fitted("abcdef\nx\ny\n", 3, 2), "abc\nx");
  EXPECT_EQ(Fitted("äöü€\n", 3, 9), "äöü\n");
  EXPECT_EQ(Fitted("", 3, 9), "");
}

}  // namespace
}  // namespace skerry::skerryctl
