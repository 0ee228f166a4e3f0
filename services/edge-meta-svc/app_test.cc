// The whole service between a fake edgehub-svc and a real gRPC client.
#include "services/edge-meta-svc/app.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/edge-meta-svc/testing/fake_edgehub.h"
#include "services/edge-meta-svc/testing/watch_client.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgemeta {
namespace {

using meta::v1::MetaService;

constexpr absl::Duration kPatience = absl::Seconds(20);

std::string Object(const std::string& name, const std::string& data) {
  return absl::StrCat(R"({"metadata":{"namespace":"d","name":")", name, R"("},"data":")", data,
                      R"("})");
}

std::string Reason(const absl::Status& status) { return GetErrorInfo(status).reason; }

class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    char name[] = "/tmp/skerry-meta-XXXXXX";
    folder_ = mkdtemp(name);
    config_.run_dir = folder_ + "/run";
    config_.state_dir = folder_ + "/state";
    config_.reconnect_max = absl::Milliseconds(200);
    config_.bookmark_interval = absl::Milliseconds(50);
    FillAddresses(config_);
    hub_listen_ = config_.edgehub_address;
    std::filesystem::create_directory(config_.run_dir);
  }
  ~AppTest() override {
    StopApp();
    std::filesystem::remove_all(folder_);
  }

  void StartApp() {
    app_ = std::make_unique<MetaApp>(config_, clock_, log::Logger::Null());
    ASSERT_TRUE(app_->Start().ok());
    auto channel = rpc::MakeChannel({.target = app_->addresses()["api"], .own_connection = true});
    ASSERT_TRUE(channel.ok());
    stub_ = MetaService::NewStub(*channel);
  }
  void StopApp() {
    if (app_ == nullptr) return;
    app_->Drain(absl::Now() + absl::Seconds(5));
    app_->Stop();
    app_.reset();
  }
  void StartHub() {
    hub_ = std::make_unique<FakeEdgehub>(hub_listen_);
    ASSERT_TRUE(hub_->WaitForAttach());
  }
  // A finished sync of configmaps d/a and d/b, and of secret d/s.
  void Sync() {
    StartApp();
    StartHub();
    hub_->SendSubscribeRequest("configmaps", 1);
    ASSERT_NE(hub_->TakeSubscribe("configmaps"), nullptr);
    hub_->SendUpsert("configmaps", 1, 1, "d/a", "v1", Object("a", "1"));
    hub_->SendUpsert("configmaps", 1, 2, "d/b", "v1", Object("b", "1"));
    hub_->SendSynced("configmaps", 1, 3);
    ASSERT_NE(hub_->TakeDone("configmaps", 1, 3), nullptr);
  }
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (MetaService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                    const Request& request, Response& response) {
    return rpc::CallUnary(kPatience, [&](grpc::ClientContext* context) {
      return ((*stub_).*method)(context, request, &response);
    });
  }
  absl::StatusOr<meta::v1::Object> Get(const std::string& type, const std::string& key) {
    meta::v1::GetObjectRequest request;
    request.set_type(type);
    request.set_key(key);
    meta::v1::Object object;
    absl::Status status = Call(&MetaService::Stub::GetObject, request, object);
    if (!status.ok()) return status;
    return object;
  }
  absl::Status Put(const std::string& key, const std::string& value,
                   const std::string& type = "pods") {
    meta::v1::PutReportRequest request;
    request.set_type(type);
    request.set_key(key);
    request.set_value(value);
    meta::v1::PutReportResponse response;
    return Call(&MetaService::Stub::PutReport, request, response);
  }
  meta::v1::MetaStatus Status() {
    meta::v1::MetaStatus status;
    EXPECT_TRUE(Call(&MetaService::Stub::GetStatus, meta::v1::GetStatusRequest(), status).ok());
    return status;
  }

  std::string folder_;
  std::string hub_listen_;
  MetaConfig config_;
  SystemClock clock_;
  std::unique_ptr<FakeEdgehub> hub_;
  std::unique_ptr<MetaApp> app_;
  std::unique_ptr<MetaService::Stub> stub_;
};

TEST_F(AppTest, IsReadyAndServesWithoutEdgehub) {
  StartApp();
  EXPECT_TRUE(app_->readiness().ready());
  WatchClient watch(*stub_, {"configmaps"});
  EXPECT_EQ(watch.Next(), "synced");
  EXPECT_EQ(Reason(Get("pods", "d/a").status()), "OBJECT_UNKNOWN");
  EXPECT_FALSE(Status().edgehub_attached());
  EXPECT_TRUE(Put("d/a", "status").ok());
  EXPECT_EQ(Status().unsent_reports(), 1);
}

TEST_F(AppTest, StoresWhatTheCloudSendsAndAcknowledgesIt) {
  Sync();
  auto object = Get("configmaps", "d/a");
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->object(), Object("a", "1"));
  EXPECT_EQ(object->version(), "v1");
  meta::v1::MetaStatus status = Status();
  EXPECT_TRUE(status.edgehub_attached());
  for (const auto& type : status.types()) {
    EXPECT_EQ(type.synced_once(), type.type() == "configmaps") << type.type();
    EXPECT_EQ(type.objects(), type.type() == "configmaps" ? 2 : 0);
  }
}

TEST_F(AppTest, SaysForHowLongEachTypeHasBeenBehindTheCloud) {
  StartApp();
  const meta::v1::MetaStatus unlinked = Status();
  for (const auto& type : unlinked.types()) {
    EXPECT_TRUE(type.has_behind()) << type.type();
    EXPECT_EQ(type.behind().seconds() + type.behind().nanos(), 0) << "no link yet";
  }
  StartHub();
  edgehub::v1::HubFrame frame;
  frame.mutable_link_state()->set_connected(true);
  hub_->Send(frame);
  hub_->SendSubscribeRequest("configmaps", 1);
  ASSERT_NE(hub_->TakeSubscribe("configmaps"), nullptr);
  hub_->SendSynced("configmaps", 1, 1);
  ASSERT_NE(hub_->TakeDone("configmaps", 1, 1), nullptr);
  const meta::v1::MetaStatus linked = Status();
  for (const auto& type : linked.types()) {
    const bool behind = type.behind().seconds() + type.behind().nanos() > 0;
    EXPECT_EQ(behind, type.type() != "configmaps") << type.type();
  }
}

TEST_F(AppTest, BootsFromItsStoreWhenNobodyElseIsThere) {
  Sync();
  StopApp();
  hub_.reset();
  StartApp();
  WatchClient watch(*stub_, {"configmaps"});
  EXPECT_EQ(watch.Next(), "+d/a=v1");
  EXPECT_EQ(watch.Next(), "+d/b=v1");
  EXPECT_EQ(watch.Next(), "synced");
}

// Bug: a new store was told as a whole one, and edged ended every pod of the box.
TEST_F(AppTest, SnapshotOfPodsEndsOnlyWhenTheCloudHasNamedThemAll) {
  StartApp();
  StartHub();
  WatchClient watch(*stub_, {"configmaps", "pods"});
  hub_->SendSubscribeRequest("pods", 1);
  ASSERT_NE(hub_->TakeSubscribe("pods"), nullptr);
  hub_->SendUpsert("pods", 1, 1, "d/p", "v1", Object("p", "1"));
  EXPECT_EQ(watch.Next(), "+d/p=v1");
  hub_->SendSynced("pods", 1, 2);
  EXPECT_EQ(watch.Next(), "synced");
}

TEST_F(AppTest, WatchersSeeChangesAndResume) {
  Sync();
  std::string token;
  {
    WatchClient watch(*stub_, {"configmaps", "nodes"});
    EXPECT_EQ(watch.Next(), "+d/a=v1");
    EXPECT_EQ(watch.Next(), "+d/b=v1");
    EXPECT_EQ(watch.Next(), "synced");
    hub_->SendUpsert("configmaps", 1, 4, "d/a", "v2", Object("a", "2"));
    std::string next;
    while ((next = watch.Next()) == "bookmark") {
    }
    EXPECT_EQ(next, "+d/a=v2");
    token = watch.token();
    EXPECT_EQ(watch.Next(), "bookmark");
    EXPECT_EQ(watch.token(), token);
  }
  hub_->SendDelete("configmaps", 1, 5, "d/b");
  ASSERT_NE(hub_->TakeDone("configmaps", 1, 5), nullptr);
  StopApp();
  StartApp();
  WatchClient resumed(*stub_, {"nodes", "configmaps"}, token);
  EXPECT_EQ(resumed.Next(), "-d/b=v1");
  EXPECT_EQ(resumed.Next(), "synced");
  WatchClient other(*stub_, {"pods"}, token);
  EXPECT_EQ(other.Next(), "RESUME_TOKEN_INVALID");
}

TEST_F(AppTest, AnOldTokenExpires) {
  config_.log_entries_max = 2;
  Sync();
  WatchClient watch(*stub_, {"configmaps"});
  for (std::string next; next != "synced"; next = watch.Next()) {
  }
  for (uint64_t i = 4; i < 9; ++i)
    hub_->SendUpsert("configmaps", 1, i, "d/a", absl::StrCat("v", i), Object("a", "x"));
  ASSERT_NE(hub_->TakeDone("configmaps", 1, 8), nullptr);
  WatchClient late(*stub_, {"configmaps"}, watch.token());
  EXPECT_EQ(late.Next(), "RESUME_TOKEN_EXPIRED");
}

TEST_F(AppTest, HoldsBackDeletesUntilTheCloudHasNamedEverything) {
  Sync();
  hub_->CloseStream(absl::UnavailableError("gone"));
  ASSERT_TRUE(hub_->WaitForAttach(2));
  hub_->SendSubscribeRequest("configmaps", 7);
  auto subscribe = hub_->TakeSubscribe("configmaps");
  ASSERT_NE(subscribe, nullptr);
  ASSERT_EQ(subscribe->subscribe().holdings_size(), 2);
  EXPECT_EQ(subscribe->subscribe().holdings(0).key(), "d/a");
  EXPECT_EQ(subscribe->subscribe().holdings(0).version(), "v1");
  hub_->SendDelete("configmaps", 7, 1, "d/a");
  ASSERT_NE(hub_->TakeDone("configmaps", 7, 1), nullptr);
  EXPECT_TRUE(Get("configmaps", "d/a").ok());
  hub_->SendSynced("configmaps", 7, 2);
  ASSERT_NE(hub_->TakeDone("configmaps", 7, 2), nullptr);
  EXPECT_EQ(Reason(Get("configmaps", "d/a").status()), "OBJECT_UNKNOWN");
  EXPECT_TRUE(Get("configmaps", "d/b").ok());
}

TEST_F(AppTest, RejectsAMalformedObjectAndGoesOn) {
  Sync();
  hub_->SendUpsert("configmaps", 1, 4, "d/a", "v2", "not json");
  auto done = hub_->TakeDone("configmaps", 1, 4);
  ASSERT_NE(done, nullptr);
  ASSERT_EQ(done->resource_done().rejections_size(), 1);
  EXPECT_EQ(Reason(rpc::FromProto(done->resource_done().rejections(0).status())),
            "OBJECT_MALFORMED");
  EXPECT_EQ(Get("configmaps", "d/a")->version(), "v1");
  hub_->SendUpsert("configmaps", 1, 5, "d/a", "v3", Object("a", "3"));
  ASSERT_NE(hub_->TakeDone("configmaps", 1, 5), nullptr);
  EXPECT_EQ(Get("configmaps", "d/a")->version(), "v3");
}

TEST_F(AppTest, AGapInTheSequenceEndsTheStreamAndSyncsAnew) {
  Sync();
  hub_->SendUpsert("configmaps", 1, 9, "d/a", "v2", Object("a", "2"));
  EXPECT_TRUE(hub_->WaitForAttach(2));
  EXPECT_EQ(Get("configmaps", "d/a")->version(), "v1");
}

TEST_F(AppTest, AManyPartSubscribeNamesEverything) {
  Sync();
  for (uint64_t i = 0; i < 200; ++i) {
    std::string name = absl::StrCat("n", i);
    hub_->SendUpsert("configmaps", 1, 4 + i, "d/" + name, std::string(4000, 'v'),
                     Object(name, "1"));
  }
  ASSERT_NE(hub_->TakeDone("configmaps", 1, 203), nullptr);
  hub_->SendSubscribeRequest("configmaps", 2);
  int holdings = 0;
  int parts = 0;
  for (bool more = true; more; ++parts) {
    auto part = hub_->TakeSubscribe("configmaps");
    ASSERT_NE(part, nullptr);
    holdings += part->subscribe().holdings_size();
    more = part->subscribe().more();
  }
  EXPECT_EQ(holdings, 202);
  EXPECT_GT(parts, 1);
}

TEST_F(AppTest, ForwardsReportsOnceTheHubIsThereAndForgetsThemWhenStored) {
  StartApp();
  ASSERT_TRUE(Put("d/a", "1").ok());
  ASSERT_TRUE(Put("d/a", "2").ok());
  ASSERT_TRUE(Put("d/b", "1").ok());
  StartHub();
  auto first = hub_->TakeReport();
  auto second = hub_->TakeReport();
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(first->put_report().report().value(), "2");
  EXPECT_EQ(second->put_report().report().key(), "d/b");
  EXPECT_GT(second->put_report().report().time().wall_micros(), 0);
  hub_->SendReportStored(first->put_report().request_id());
  hub_->CloseStream(absl::UnavailableError("gone"));
  ASSERT_TRUE(hub_->WaitForAttach(2));
  auto again = hub_->TakeReport();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->put_report().report().key(), "d/b") << "the first was stored";
  hub_->SendReportStored(again->put_report().request_id());
  ASSERT_TRUE(Put("d/c", "1").ok());
  auto last = hub_->TakeReport();
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->put_report().report().key(), "d/c");
  EXPECT_EQ(Status().unsent_reports(), 1);
}

TEST_F(AppTest, ReportsSurviveARestart) {
  StartApp();
  ASSERT_TRUE(Put("d/a", "1").ok());
  StopApp();
  StartApp();
  StartHub();
  auto report = hub_->TakeReport();
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->put_report().report().value(), "1");
}

TEST_F(AppTest, RefusesBadRequests) {
  config_.bookmark_interval = absl::Seconds(30);
  StartApp();
  EXPECT_EQ(Get("Pods!", "d/a").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Get("pods", "a/b/c").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Reason(Put("d/a", "1", "configmaps")), "REPORT_TYPE_UNKNOWN");
  EXPECT_EQ(Reason(Put("d/a", std::string(2 << 20, 'x'))), "REPORT_TOO_BIG");
  EXPECT_EQ(Put("a/b/c", "1").code(), absl::StatusCode::kInvalidArgument);
  WatchClient nothing(*stub_, {});
  EXPECT_EQ(nothing.Next(), "INVALID_FIELD");
  WatchClient garbage(*stub_, {"pods"}, "garbage");
  EXPECT_EQ(garbage.Next(), "RESUME_TOKEN_INVALID");
}

TEST_F(AppTest, ListsInPagesBoundToTheirQuestion) {
  Sync();
  meta::v1::ListObjectsRequest request;
  request.set_type("configmaps");
  request.set_page_size(1);
  meta::v1::ListObjectsResponse page;
  ASSERT_TRUE(Call(&MetaService::Stub::ListObjects, request, page).ok());
  ASSERT_EQ(page.objects_size(), 1);
  EXPECT_EQ(page.objects(0).key(), "d/a");
  EXPECT_EQ(page.revision(), 2);
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&MetaService::Stub::ListObjects, request, page).ok());
  EXPECT_EQ(page.objects(0).key(), "d/b");
  EXPECT_EQ(page.next_page_token(), "");
  request.set_namespace_("d");
  EXPECT_EQ(Reason(Call(&MetaService::Stub::ListObjects, request, page)), "PAGE_TOKEN_INVALID");
  request.clear_page_token();
  request.set_page_size(-1);
  EXPECT_EQ(Call(&MetaService::Stub::ListObjects, request, page).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(AppTest, AWatcherThatDoesNotReadIsEndedAndOthersGoOn) {
  config_.watch_queue_bytes_max = 2 << 20;
  Sync();
  WatchClient slow(*stub_, {"configmaps"});
  WatchClient fast(*stub_, {"configmaps"});
  for (std::string next; next != "synced"; next = fast.Next()) {
  }
  // No more than overflows the queue: who does not take its end within 5 s hears of no reason.
  const std::string big(1 << 20, 'x');
  for (uint64_t i = 4; i < 12; ++i) {
    hub_->SendUpsert("configmaps", 1, i, "d/a", absl::StrCat("v", i), Object("a", big));
    std::string next;
    while ((next = fast.Next()) == "bookmark") {
    }
    EXPECT_EQ(next, absl::StrCat("+d/a=v", i));
  }
  std::string end;
  for (int i = 0; i < 40 && end != "SLOW_WATCHER"; ++i) end = slow.Next();
  EXPECT_EQ(end, "SLOW_WATCHER");
}

TEST_F(AppTest, DrainEndsWatchesWithAReason) {
  Sync();
  WatchClient watch(*stub_, {"nodes"});
  EXPECT_EQ(watch.Next(), "synced");
  StopApp();
  std::string next;
  while ((next = watch.Next()) == "bookmark") {
  }
  EXPECT_EQ(next, "DRAINING");
}

}  // namespace
}  // namespace skerry::edgemeta
