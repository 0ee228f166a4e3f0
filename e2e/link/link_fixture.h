// Both hubs as they are, over mutual TLS on loopback, and peers of them.
#ifndef SKERRY_E2E_LINK_LINK_FIXTURE_H_
#define SKERRY_E2E_LINK_LINK_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/admin_service.grpc.pb.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/link/v1/link.grpc.pb.h"
#include "e2e/link/peer.h"
#include "services/cloudhub-svc/app.h"
#include "services/edgehub-svc/app.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"

namespace skerry::e2e {

namespace cv1 = skerry::cloudhub::v1;
namespace ev1 = skerry::edgehub::v1;
namespace lv1 = skerry::link::v1;

using Controller = Peer<cv1::HubFrame, cv1::SpokeFrame>;
using Spoke = Peer<ev1::HubFrame, ev1::SpokeFrame>;

class LinkTest : public ::testing::Test {
 protected:
  LinkTest() {
    char name[] = "/tmp/skerry-link-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~LinkTest() override {
    if (edge_ != nullptr) edge_->Drain(absl::Now() + absl::Seconds(5));
    edge_ = nullptr;
    if (cloud_ != nullptr) cloud_->Drain(absl::Now() + absl::Seconds(5));
    cloud_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  // link_listen: "127.0.0.1:0", or where an earlier hub listened.
  void StartCloud(const std::string& link_listen = "127.0.0.1:0") {
    cloudhub::CloudHubConfig config;
    config.hub_name = "hub-1";
    config.state_dir = folder_ + "/cloudhub";
    config.link_listen = link_listen;
    config.api_listen = "127.0.0.1:0";
    config.join_listen = "127.0.0.1:0";
    config.drain_retry_after = absl::ZeroDuration();
    config.syncs_max = syncs_max_;
    cloud_ = std::make_unique<cloudhub::CloudHubApp>(config, clock_, log::Logger::Null());
    absl::Status started = cloud_->Start();
    ASSERT_TRUE(started.ok()) << started;
    link_address_ = cloud_->addresses().at("link");
  }

  // The controller knows the node: what the node subscribes to from here on reaches it at once.
  std::unique_ptr<Controller> AttachAndMeetNode() {
    std::unique_ptr<Controller> controller = Attach();
    EXPECT_TRUE(controller->Await([](const cv1::HubFrame& f) { return f.has_node_connected(); })
                    .has_value());
    return controller;
  }

  // A certificate that the hub's CA signed, and its key, in one file.
  security::TlsFiles Certificate(const std::string& common_name, const std::string& organization) {
    const std::string file = absl::StrCat(folder_, "/", ++files_, ".pem");
    absl::StatusOr<std::unique_ptr<security::CertificateAuthority>> ca =
        security::CertificateAuthority::LoadOrCreate(folder_ + "/cloudhub/ca", "skerry-ca",
                                                     clock_.Now());
    EXPECT_TRUE(ca.ok()) << ca.status();
    security::CertificateSpec spec;
    spec.subject = {common_name, {organization}};
    spec.now = clock_.Now();
    spec.for_client = true;
    absl::StatusOr<security::CertificateAndKey> issued = (*ca)->Issue(spec);
    EXPECT_TRUE(issued.ok()) << issued.status();
    EXPECT_TRUE(
        security::WriteFileAtomically(file, issued->certificate_pem + issued->key_pem, 0600).ok());
    return {.ca = folder_ + "/cloudhub/ca/ca.crt", .cert = file, .key = file};
  }

  void StartEdge() {
    edgehub::EdgeHubConfig config;
    config.run_dir = folder_ + "/run";
    config.state_dir = folder_ + "/edge";
    config.cloud_address = link_address_;
    config.backoff_min = absl::Milliseconds(50);
    config.backoff_max = absl::Milliseconds(200);
    if (node_files_.cert.empty()) node_files_ = Certificate("system:node:edge-1", "system:nodes");
    config.tls_ca = node_files_.ca;
    config.tls_identity = node_files_.cert;
    edge_ = std::make_unique<edgehub::EdgeHubApp>(config, clock_, log::Logger::Null());
    absl::Status started = edge_->Start();
    ASSERT_TRUE(started.ok()) << started;
    EXPECT_TRUE(edge_->readiness().ready());
  }

  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address,
                                           const std::string& common_name,
                                           const std::string& organization) {
    return ChannelTo(address, Certificate(common_name, organization));
  }
  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address,
                                           const security::TlsFiles& files) {
    rpc::ChannelOptions options;
    options.target = address;
    options.own_connection = true;
    options.credentials = *security::MutualTlsClient(files);
    return *rpc::MakeChannel(options);
  }

  std::unique_ptr<Controller> Attach() {
    auto stub = std::make_shared<std::unique_ptr<cv1::SpokeService::Stub>>(
        cv1::SpokeService::NewStub(ChannelTo(cloud_->addresses().at("api"),
                                             "system:edge-controller", "skerry:controllers")));
    auto controller = std::make_unique<Controller>(
        [&](auto* context, auto* reactor) { (*stub)->async()->Attach(context, reactor); });
    cv1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("edge-controller-svc/1");
    frame.mutable_register_()->add_resource_types("pods");
    frame.mutable_register_()->add_report_types("pods");
    controller->Send(frame);
    return controller;
  }

  std::unique_ptr<Spoke> AttachSpoke() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    options.own_connection = true;
    auto stub = ev1::SpokeService::NewStub(*rpc::MakeChannel(options));
    auto spoke = std::make_unique<Spoke>(
        [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); });
    ev1::SpokeFrame frame;
    frame.mutable_register_()->set_spoke("edge-meta-svc");
    frame.mutable_register_()->add_resource_types("pods");
    frame.mutable_register_()->add_report_types("pods");
    spoke->Send(frame);
    return spoke;
  }

  // The box answers the next request for a subscription; returns its id.
  uint64_t Subscribe(Spoke& spoke, const std::string& held_key = "",
                     const std::string& held_version = "") {
    auto request = spoke.Await([](const ev1::HubFrame& f) { return f.has_subscribe_request(); });
    EXPECT_TRUE(request.has_value());
    if (!request.has_value()) return 0;
    ev1::SpokeFrame frame;
    ev1::Subscribe* subscribe = frame.mutable_subscribe();
    subscribe->set_type("pods");
    subscribe->set_subscription_id(request->subscribe_request().subscription_id());
    if (!held_key.empty()) {
      lv1::Holding* holding = subscribe->add_holdings();
      holding->set_key(held_key);
      holding->set_version(held_version);
    }
    spoke.Send(frame);
    return request->subscribe_request().subscription_id();
  }

  cv1::Subscribed AwaitSubscribed(Controller& controller) {
    auto frame = controller.Await([](const cv1::HubFrame& f) { return f.has_subscribed(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->subscribed() : cv1::Subscribed();
  }

  void Push(Controller& controller, const cv1::Subscribed& to, const std::string& key,
            const std::string& version, const std::string& object = "{}") {
    cv1::SpokeFrame frame;
    cv1::Push* push = frame.mutable_push();
    *push->mutable_session() = to.session();
    push->set_type(to.type());
    push->set_subscription_id(to.subscription_id());
    if (key.empty()) {
      push->mutable_synced();
    } else {
      push->mutable_upsert()->set_key(key);
      push->mutable_upsert()->set_version(version);
      push->mutable_upsert()->set_object(object);
    }
    controller.Send(frame);
  }

  lv1::ResourceChange AwaitChange(Spoke& spoke) {
    auto frame = spoke.Await([](const ev1::HubFrame& f) { return f.has_resource(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->resource() : lv1::ResourceChange();
  }

  void Done(Spoke& spoke, const lv1::ResourceChange& change) {
    ev1::SpokeFrame frame;
    frame.mutable_resource_done()->set_type(change.type());
    frame.mutable_resource_done()->set_subscription_id(change.subscription_id());
    frame.mutable_resource_done()->set_sequence(change.sequence());
    spoke.Send(frame);
  }

  void PutReport(Spoke& spoke, uint64_t request_id, const std::string& value) {
    ev1::SpokeFrame frame;
    frame.mutable_put_report()->set_request_id(request_id);
    lv1::Report* report = frame.mutable_put_report()->mutable_report();
    report->set_type("pods");
    report->set_key("default/web");
    report->mutable_time()->set_wall_micros(static_cast<int64_t>(request_id));
    report->set_value(value);
    spoke.Send(frame);
    auto stored = spoke.Await([&](const ev1::HubFrame& f) {
      return f.has_report_stored() && f.report_stored().request_id() == request_id;
    });
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->report_stored().status().code(), 0);
  }

  cv1::NodeReport AwaitReport(Controller& controller) {
    auto frame = controller.Await([](const cv1::HubFrame& f) { return f.has_report(); });
    EXPECT_TRUE(frame.has_value());
    return frame.has_value() ? frame->report() : cv1::NodeReport();
  }

  void ReportDone(Controller& controller, const cv1::NodeReport& report) {
    cv1::SpokeFrame frame;
    *frame.mutable_report_done()->mutable_session() = report.session();
    frame.mutable_report_done()->set_sequence(report.report().sequence());
    controller.Send(frame);
  }

  ev1::EdgeHubStatus EdgeStatus() {
    rpc::ChannelOptions options;
    options.target = edge_->addresses().at("api");
    auto stub = ev1::EdgeHubService::NewStub(*rpc::MakeChannel(options));
    ev1::EdgeHubStatus response;
    absl::Status status = rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
      return stub->GetStatus(context, ev1::GetStatusRequest(), &response);
    });
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  SystemClock clock_;
  std::string folder_;
  std::string link_address_;
  int files_ = 0;
  int syncs_max_ = 256;
  security::TlsFiles node_files_;
  std::unique_ptr<cloudhub::CloudHubApp> cloud_;
  std::unique_ptr<edgehub::EdgeHubApp> edge_;
};

}  // namespace skerry::e2e

#endif  // SKERRY_E2E_LINK_LINK_FIXTURE_H_
