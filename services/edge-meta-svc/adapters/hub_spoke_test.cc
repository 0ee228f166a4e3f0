// HubSpoke against a hub that is a value, with streams, time and failures under the test's control.
#include "services/edge-meta-svc/adapters/hub_spoke.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-meta-svc/store/sqlite_meta_store.h"
#include "services/edge-meta-svc/testing/failing_meta_store.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgemeta {
namespace {

using edgehub::v1::HubFrame;
using edgehub::v1::SpokeFrame;

std::string Object(const std::string& name) {
  return absl::StrCat(R"({"metadata":{"namespace":"d","name":")", name, R"("}})");
}

// The hub's end of one stream.
class FakeStream final : public HubStream {
 public:
  explicit FakeStream(rpc::StreamEvents<HubFrame> events) : events_(std::move(events)) {}

  bool Send(SpokeFrame frame) override {
    if (closed_) return false;
    sent.push_back(std::move(frame));
    return true;
  }
  size_t pending_bytes() const override { return 0; }
  void SendBundles() override {}
  void Close(absl::Status status) override { End(std::move(status)); }
  void Consumed() override { ++consumed; }

  void Deliver(HubFrame frame) {
    if (!closed_) events_.on_message(std::move(frame));
  }
  void End(absl::Status status) {
    if (std::exchange(closed_, true)) return;
    auto events = std::exchange(events_, {});
    events.on_closed(std::move(status));
  }
  bool closed() const { return closed_; }

  std::vector<SpokeFrame> sent;
  int consumed = 0;

 private:
  rpc::StreamEvents<HubFrame> events_;
  bool closed_ = false;
};

class HubSpokeTest : public ::testing::Test {
 protected:
  HubSpokeTest() {
    auto store =
        SqliteMetaStore::Open({.path = folder_.File("meta.db"), .key_path = folder_.File("key")});
    EXPECT_TRUE(store.ok()) << store.status();
    real_ = *std::move(store);
    store_ = std::make_unique<FailingMetaStore>(*real_);
    spoke_ = std::make_unique<HubSpoke>(
        HubSpoke::Options{.resource_types = {"configmaps"}, .report_types = {"pods"}},
        [this](const rpc::StreamOptions&, rpc::StreamEvents<HubFrame> events) {
          stream_ = std::make_shared<FakeStream>(std::move(events));
          return stream_;
        },
        *store_, executor_, clock_,
        [this](std::vector<watch::Change> changes) {
          for (const watch::Change& change : changes) {
            published_.push_back((change.deleted ? "-" : "+") + change.key + "=" + change.version);
          }
        },
        metrics_, log::Logger::Null());
    spoke_->Start();
    Settle();
  }
  ~HubSpokeTest() override {
    spoke_->Stop();
    executor_.Stop();
  }

  void Settle() {
    // What work posts runs before the second wait is over.
    for (int i = 0; i < 3; ++i) executor_.Run([] {});
  }
  // The pause between attempts is at most min + max.
  void Redial() {
    clock_.Advance(absl::Seconds(6));
    Settle();
  }
  void Deliver(HubFrame frame) {
    stream_->Deliver(std::move(frame));
    Settle();
  }
  void Register() {
    HubFrame frame;
    frame.mutable_registered()->set_node("edge-1");
    Deliver(std::move(frame));
  }
  void RequestSubscribe(uint64_t id) {
    HubFrame frame;
    frame.mutable_subscribe_request()->set_type("configmaps");
    frame.mutable_subscribe_request()->set_subscription_id(id);
    Deliver(std::move(frame));
  }
  static HubFrame Change(uint64_t id, uint64_t sequence) {
    HubFrame frame;
    frame.mutable_resource()->set_type("configmaps");
    frame.mutable_resource()->set_subscription_id(id);
    frame.mutable_resource()->set_sequence(sequence);
    return frame;
  }
  static HubFrame Upsert(uint64_t id, uint64_t sequence, const std::string& name,
                         const std::string& version) {
    HubFrame frame = Change(id, sequence);
    link::v1::Upsert& upsert = *frame.mutable_resource()->mutable_upsert();
    upsert.set_key("d/" + name);
    upsert.set_version(version);
    upsert.set_object(Object(name));
    return frame;
  }
  static HubFrame Delete(uint64_t id, uint64_t sequence, const std::string& name) {
    HubFrame frame = Change(id, sequence);
    frame.mutable_resource()->mutable_delete_()->set_key("d/" + name);
    return frame;
  }
  static HubFrame Synced(uint64_t id, uint64_t sequence) {
    HubFrame frame = Change(id, sequence);
    frame.mutable_resource()->mutable_synced();
    return frame;
  }
  void Stored(uint64_t request_id, const absl::Status& status = absl::OkStatus()) {
    HubFrame frame;
    frame.mutable_report_stored()->set_request_id(request_id);
    *frame.mutable_report_stored()->mutable_status() = rpc::ToProto(status);
    Deliver(std::move(frame));
  }
  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(real_->PutReport({.type = "pods", .key = key, .value = value}, clock_.Now()).ok());
    spoke_->ReportsChanged();
    Settle();
  }
  // Reports sent on the present stream: "key=value".
  std::vector<std::string> Reports() const {
    std::vector<std::string> reports;
    for (const SpokeFrame& frame : stream_->sent) {
      if (!frame.has_put_report()) continue;
      const link::v1::Report& report = frame.put_report().report();
      reports.push_back(report.key() + "=" + report.value());
    }
    return reports;
  }
  uint64_t LastRequestId() const {
    uint64_t id = 0;
    for (const SpokeFrame& frame : stream_->sent) {
      if (frame.has_put_report()) id = frame.put_report().request_id();
    }
    return id;
  }
  std::set<std::string> Held() {
    std::set<std::string> held;
    auto holdings = real_->Holdings("configmaps");
    for (const auto& [key, version] : *holdings) held.insert(key + "=" + version);
    return held;
  }
  // What a correct cloud does on one stream: brings the box from what it says it holds to `wanted`.
  // Stops where the stream ends.
  void Sync(const std::map<std::string, std::string>& wanted, uint64_t id) {
    Register();
    if (stream_->closed()) return;
    size_t before = stream_->sent.size();
    RequestSubscribe(id);
    std::map<std::string, std::string> holdings;
    for (size_t i = before; i < stream_->sent.size(); ++i) {
      for (const link::v1::Holding& holding : stream_->sent[i].subscribe().holdings()) {
        holdings[holding.key().substr(2)] = holding.version();
      }
    }
    uint64_t sequence = 0;
    for (const auto& [name, version] : wanted) {
      if (holdings[name] != version) Deliver(Upsert(id, ++sequence, name, version));
      holdings.erase(name);
    }
    for (const auto& [name, version] : holdings) Deliver(Delete(id, ++sequence, name));
    Deliver(Synced(id, ++sequence));
  }

  testing::TempDir folder_;
  testing::FakeClock clock_;
  exec::SerialExecutor executor_{"spoke-test", clock_};
  metrics::Registry registry_{"edge-meta-svc"};
  MetaMetrics metrics_{registry_};
  std::unique_ptr<SqliteMetaStore> real_;
  std::unique_ptr<FailingMetaStore> store_;
  std::shared_ptr<FakeStream> stream_;
  std::vector<std::string> published_;
  std::unique_ptr<HubSpoke> spoke_;
};

TEST_F(HubSpokeTest, RegistersItsTypesFirst) {
  ASSERT_EQ(stream_->sent.size(), 1u);
  EXPECT_EQ(stream_->sent[0].register_().resource_types(0), "configmaps");
  EXPECT_EQ(stream_->sent[0].register_().report_types(0), "pods");
  EXPECT_FALSE(spoke_->attached());
  Register();
  EXPECT_TRUE(spoke_->attached());
}

TEST_F(HubSpokeTest, DialsAgainWhenTheStreamEnds) {
  Register();
  std::shared_ptr<FakeStream> first = stream_;
  first->End(absl::UnavailableError("gone"));
  Settle();
  EXPECT_FALSE(spoke_->attached());
  Redial();
  EXPECT_NE(stream_, first);
  EXPECT_EQ(stream_->sent.size(), 1u);
}

TEST_F(HubSpokeTest, PublishesWhatItCommittedAndConsumesEveryFrame) {
  Sync({{"a", "1"}, {"b", "1"}}, 1);
  EXPECT_EQ(published_, (std::vector<std::string>{"+d/a=1", "+d/b=1"}));
  EXPECT_EQ(stream_->consumed, 5);
  EXPECT_EQ(stream_->sent.back().resource_done().sequence(), 3u);
}

TEST_F(HubSpokeTest, ATypeThatIsNotItsOwnIsNotSubscribed) {
  Register();
  HubFrame frame;
  frame.mutable_subscribe_request()->set_type("pods");
  Deliver(std::move(frame));
  EXPECT_EQ(stream_->sent.size(), 1u);
}

TEST_F(HubSpokeTest, AFrameOfANewerHubIsIgnored) {
  Register();
  Deliver(HubFrame());
  EXPECT_FALSE(stream_->closed());
}

TEST_F(HubSpokeTest, AFailedCommitIsNotAcknowledgedAndEndsTheStream) {
  Register();
  RequestSubscribe(1);
  const size_t before = stream_->sent.size();
  store_->FailAt(1);
  Deliver(Upsert(1, 1, "a", "1"));
  EXPECT_TRUE(stream_->closed());
  EXPECT_EQ(stream_->sent.size(), before);
  EXPECT_TRUE(published_.empty());
}

// Whichever write fails, the next stream brings the box to what the cloud wants.
TEST_F(HubSpokeTest, ConvergesWhicheverWriteFails) {
  std::map<std::string, std::string> wanted;
  bool failed = true;
  for (int n = 1; failed; ++n) {
    SCOPED_TRACE(absl::StrCat("write ", n, " fails"));
    wanted["a"] = absl::StrCat(n);
    wanted[absl::StrCat("new-", n)] = "1";
    wanted.erase(absl::StrCat("new-", n - 1));
    store_->FailAt(n);
    Put("d/p", absl::StrCat(n));
    Sync(wanted, 10);
    if (!stream_->closed()) Stored(LastRequestId());
    failed = store_->failed();
    store_->FailAt(1 << 30);
    if (stream_->closed()) {
      Redial();
    } else {
      stream_->End(absl::UnavailableError("gone"));
      Settle();
      Redial();
    }
    Sync(wanted, 11);
    std::set<std::string> expected;
    for (const auto& [name, version] : wanted) expected.insert("d/" + name + "=" + version);
    EXPECT_EQ(Held(), expected);
    if (!Reports().empty()) {
      EXPECT_EQ(Reports().back(), absl::StrCat("d/p=", n));
      Stored(LastRequestId());
    }
    EXPECT_EQ(*real_->CountReports(), 0);
    ASSERT_LT(n, 50);
  }
}

TEST_F(HubSpokeTest, ANewerValueIsSentWhileTheOlderIsInFlight) {
  Register();
  Put("d/p", "1");
  const uint64_t first = LastRequestId();
  Put("d/p", "2");
  EXPECT_EQ(Reports(), (std::vector<std::string>{"d/p=1", "d/p=2"}));
  Stored(first);
  EXPECT_EQ(*real_->CountReports(), 1) << "the answer is the older value's";
  Stored(LastRequestId());
  EXPECT_EQ(*real_->CountReports(), 0);
}

TEST_F(HubSpokeTest, AFullJournalIsTriedAgainAfterAPause) {
  Register();
  Put("d/p", "1");
  Stored(LastRequestId(), absl::ResourceExhaustedError("full"));
  Put("d/q", "1");
  EXPECT_EQ(Reports().size(), 1u);
  Redial();  // Advances past the pause; the stream stays.
  EXPECT_EQ(Reports(), (std::vector<std::string>{"d/p=1", "d/p=1", "d/q=1"}));
}

TEST_F(HubSpokeTest, ARefusalForGoodIsForgotten) {
  Register();
  Put("d/p", "1");
  Stored(LastRequestId(), absl::InvalidArgumentError("no"));
  EXPECT_EQ(*real_->CountReports(), 0);
  EXPECT_EQ(metrics_.reports_refused.Value(), 1);
}

TEST_F(HubSpokeTest, ShowsForHowLongTheObjectsHaveBeenBehind) {
  prometheus::Gauge& behind = metrics_.SyncBehind("configmaps");
  auto connected = [this](bool is) {
    HubFrame frame;
    frame.mutable_link_state()->set_connected(is);
    Deliver(std::move(frame));
  };
  auto pass = [this](int seconds) {
    clock_.Advance(absl::Seconds(seconds));
    Settle();
  };
  Register();
  pass(60);
  EXPECT_EQ(behind.Value(), 0) << "no link";
  connected(true);
  RequestSubscribe(1);
  pass(5);
  EXPECT_EQ(behind.Value(), 5) << "brought up to date without a frame";
  pass(5);
  EXPECT_EQ(behind.Value(), 10);
  clock_.Advance(absl::Seconds(2));
  EXPECT_EQ(spoke_->Behind("configmaps"), absl::Seconds(12)) << "whatever the gauge shows";
  Deliver(Synced(1, 1));
  EXPECT_EQ(behind.Value(), 0);
  EXPECT_EQ(spoke_->Behind("configmaps"), absl::ZeroDuration());
  pass(60);
  EXPECT_EQ(behind.Value(), 0);
  RequestSubscribe(2);
  pass(5);
  EXPECT_EQ(behind.Value(), 5);
  store_->FailAt(1);
  Deliver(Upsert(2, 1, "a", "1"));
  Deliver(Synced(2, 2));
  store_->FailAt(1 << 30);
  EXPECT_EQ(behind.Value(), 5) << "what was not committed is not in step";
  Redial();
  EXPECT_EQ(behind.Value(), 5) << "stands still without edgehub-svc";
  Register();
  connected(true);
  pass(5);
  EXPECT_EQ(behind.Value(), 10);
}

TEST_F(HubSpokeTest, WhatASyncBroughtBeforeTheLinkEndedIsNotTheNextLinks) {
  prometheus::Gauge& behind = metrics_.SyncBehind("configmaps");
  HubFrame linked;
  linked.mutable_link_state()->set_connected(true);
  HubFrame cut;
  cut.mutable_link_state()->set_connected(false);
  Register();
  Deliver(linked);
  RequestSubscribe(1);
  clock_.Advance(absl::Seconds(5));
  executor_.Run([&] {  // One drain takes all three.
    stream_->Deliver(Synced(1, 1));
    stream_->Deliver(cut);
    stream_->Deliver(linked);
  });
  Settle();
  clock_.Advance(absl::Seconds(5));
  Settle();
  EXPECT_EQ(behind.Value(), 5) << "the former lag has ended, the new link is not in step";
}

}  // namespace
}  // namespace skerry::edgemeta
