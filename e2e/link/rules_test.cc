// [rules-1] Rules of all four kinds between real services: the Kubernetes API, router-svc, both
// hubs, servicebus-svc. An MQTT side is played by the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "e2e/link/link_fixture.h"
#include "services/edge-meta-svc/app.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/hubclient/hub_dialer.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/resource.h"
#include "services/lib/kubeclient/testing/api_process.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/router-svc/app.h"
#include "services/servicebus-svc/app.h"

namespace skerry::e2e {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kLimit = absl::Seconds(30);
constexpr char kApi[] = "services/standalone-api-svc/standalone-api-svc";
constexpr char kDefinitions[] = "charts/skerry-cloud/crds";

const kubeclient::Resource kRules = {"rules.kubeedge.io", "v1", "rules", true};
const kubeclient::Resource kEndpoints = {"rules.kubeedge.io", "v1", "ruleendpoints", true};

// What came, as lines; any thread.
class Lines {
 public:
  void Add(std::string line) {
    absl::MutexLock lock(&mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return lines_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), kLimit));
    return lines_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class RulesTest : public LinkTest {
 protected:
  RulesTest() : api_(kApi, api_folder_.path(), kDefinitions) {
    server_ = *http::Server::Create({}, [this](const http::Request& request,
                                               const std::shared_ptr<http::Responder>& responder) {
      got_.Add(absl::StrCat(request.method, " ", request.target, " ", request.body));
      responder->Send({.status = 202, .body = "answer"});
    });
    api_.Start();
    admin_ = api_.Open("admin");
    SKERRY_EXPECT_OK(
        admin_->Create(kubeclient::Namespaces(), "",
                       R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"plant"}})"));
    const std::string port = server_->address().substr(server_->address().rfind(':') + 1);
    Endpoint("rest", {{"ruleEndpointType", "rest"}});
    Endpoint("mqtt", {{"ruleEndpointType", "eventbus"}});
    Endpoint("svc", {{"ruleEndpointType", "servicebus"}, {"properties", {{"service_port", port}}}});
    const std::string url = absl::StrCat("http://", server_->address());
    Rule("publish", "rest", {{"path", "/led"}}, "mqtt", {{"topic", "cmd/led"}});
    Rule("call", "rest", {{"path", "/echo"}}, "svc", {{"path", "/box"}});
    Rule("admin", "rest", {{"path", "/admin"}}, "svc", {{"path", "/admin"}});
    Rule("alarms", "mqtt", {{"topic", "alarms"}, {"node_name", "edge-1"}}, "rest",
         {{"resource", url + "/alarms"}});
    Rule("orders", "svc", {{"target_url", "http://shop/orders"}, {"node_name", "edge-1"}}, "rest",
         {{"resource", url + "/orders"}});
    StartCloud();
    StartEdge();
    StartMeta();
    StartServiceBus();
    StartBroker();
  }
  ~RulesTest() override {
    router_.reset();
    broker_->Stop();
    bus_.reset();
    meta_.reset();
    server_->Shutdown(absl::Now());
  }

  // An object is accepted once its definition is served.
  void Create(const kubeclient::Resource& resource, const json& object) {
    const absl::Time deadline = absl::Now() + kLimit;
    absl::Status created;
    do {
      created = admin_->Create(resource, "plant", object.dump()).status();
      std::this_thread::yield();
    } while (absl::IsNotFound(created) && absl::Now() < deadline);
    SKERRY_EXPECT_OK(created);
  }
  void Endpoint(const std::string& name, const json& spec) {
    Create(kEndpoints, {{"apiVersion", "rules.kubeedge.io/v1"},
                        {"kind", "RuleEndpoint"},
                        {"metadata", {{"name", name}, {"namespace", "plant"}}},
                        {"spec", spec}});
  }
  void Rule(const std::string& name, const std::string& source, const json& source_resource,
            const std::string& target, const json& target_resource) {
    Create(kRules, {{"apiVersion", "rules.kubeedge.io/v1"},
                    {"kind", "Rule"},
                    {"metadata", {{"name", name}, {"namespace", "plant"}}},
                    {"spec",
                     {{"source", source},
                      {"sourceResource", source_resource},
                      {"target", target},
                      {"targetResource", target_resource}}}});
  }

  // The box's rules, whose target URLs servicebus-svc takes.
  void StartMeta() {
    edgemeta::MetaConfig config;
    config.run_dir = folder_ + "/run";
    config.state_dir = folder_ + "/edge";
    config.edgehub_address = edge_->addresses().at("api");
    config.resource_types = {"rules.rules.kubeedge.io"};
    config.report_types = {};
    config.sealed_types = {};
    meta_ = std::make_unique<edgemeta::MetaApp>(config, clock_, log::Logger::Null());
    SKERRY_EXPECT_OK(meta_->Start());
  }
  void StartServiceBus() {
    servicebus::ServiceBusConfig config;
    config.edgehub_address = edge_->addresses().at("api");
    config.calls_allowed = {absl::StrCat("http://", server_->address(), "/box")};
    config.posts_listen = "127.0.0.1:0";
    config.meta_address = meta_->addresses().at("api");
    config.meta_reconnect_max = absl::Milliseconds(200);
    bus_ = std::make_unique<servicebus::ServiceBusApp>(config, clock_, log::Logger::Null());
    SKERRY_EXPECT_OK(bus_->Start());
  }
  void StartBroker() {
    broker_ = std::make_unique<hubclient::HubClient>(
        hubclient::HubClient::Options{.spoke = "eventbus-svc",
                                      .event_streams = {{.name = "usermessages"}},
                                      .command_types = {"mqttpublish"}},
        *hubclient::MakeHubDialer(edge_->addresses().at("api")), executor_,
        hubclient::HubEvents{
            .on_command =
                [this](const hubclient::Command& command, hubclient::CommandDone done) {
                  eventbus::v1::UserMessage message;
                  EXPECT_TRUE(message.ParseFromString(command.payload));
                  published_.Add(absl::StrCat(message.topic(), " ", message.payload()));
                  done(absl::OkStatus(), "");
                }},
        hub_metrics_, log::Logger::Null());
    broker_->Start();
  }
  void StartRouter() {
    const security::TlsFiles own = Certificate("system:router", "skerry:controllers");
    const auto ca = security::CertificateAuthority::LoadOrCreate(folder_ + "/cloudhub/ca",
                                                                 "skerry-ca", clock_.Now());
    SKERRY_ASSERT_OK(ca);
    const auto issued = (*ca)->Issue({.subject = {.common_name = "router"},
                                      .dns_names = {"localhost"},
                                      .now = clock_.Now(),
                                      .for_server = true});
    SKERRY_ASSERT_OK(issued);
    router::RouterConfig config;
    config.state_dir = folder_ + "/router";
    config.kubeconfig = api_folder_.File("kc/edge-controller.kubeconfig");
    config.hub_addresses = {cloud_->addresses().at("api")};
    config.tls_ca = own.ca;
    config.tls_cert = own.cert;
    config.tls_key = own.key;
    config.rest_listen = "127.0.0.1:0";
    config.rest_cert = api_folder_.Write("rest.crt", issued->certificate_pem);
    config.rest_key = api_folder_.Write("rest.key", issued->key_pem);
    config.rest_token_file = api_folder_.Write(
        "tokens.yaml",
        "tokens: [{token: a-token-of-the-plant, user: shop, groups: ['skerry:router:plant']}]");
    config.status_interval = absl::Milliseconds(200);
    router_ = std::make_unique<router::RouterApp>(config, log::Logger::Null());
    SKERRY_ASSERT_OK(router_->Start());
    auto ready = std::make_shared<absl::Notification>();
    router_->readiness().OnChange([ready](bool now) {
      if (now && !ready->HasBeenNotified()) ready->Notify();
    });
    ASSERT_TRUE(ready->WaitForNotificationWithTimeout(kLimit));
  }

  skerry::testing::CurlAnswer Request(const std::string& path, const std::string& body,
                                      std::vector<std::string> headers = {}) {
    headers.push_back("Authorization: Bearer a-token-of-the-plant");
    const std::string address = router_->addresses().at("rest");
    return skerry::testing::Fetch(
        {.url = absl::StrCat("https://localhost", address.substr(address.rfind(':')), path),
         .method = "POST",
         .body = body,
         .headers = std::move(headers),
         .ca_file = folder_ + "/cloudhub/ca/ca.crt"});
  }
  // The node may have no session at the hub yet.
  skerry::testing::CurlAnswer RequestWhenConnected(const std::string& path,
                                                   const std::string& body) {
    const absl::Time deadline = absl::Now() + kLimit;
    skerry::testing::CurlAnswer answer;
    do {
      answer = Request(path, body);
    } while (answer.status == 503 && absl::Now() < deadline);
    return answer;
  }
  std::string LocalPost(const std::string& payload) {
    return skerry::testing::Fetch(
               {.url = absl::StrCat("http://", bus_->addresses().at("posts"), "/"),
                .method = "POST",
                .body =
                    absl::StrCat(R"({"method":"POST","targetURL":"http://shop/orders","payload":")",
                                 payload, "\"}")})
        .body;
  }
  // The rule may not have reached the box yet.
  std::string LocalPostWhenAllowed(const std::string& payload) {
    const absl::Time deadline = absl::Now() + kLimit;
    std::string answer;
    do {
      answer = LocalPost(payload);
    } while (answer.find("is not allowed") != std::string::npos && absl::Now() < deadline);
    return answer;
  }
  void Publish(const std::string& topic, const std::string& payload) {
    eventbus::v1::UserMessage message;
    message.set_topic(topic);
    message.set_payload(payload);
    auto stored = std::make_shared<absl::Notification>();
    broker_->PutEvents({.stream = "usermessages",
                        .producer = "test",
                        .events = {{.producer_sequence = ++sequence_,
                                    .time = clock_.Now(),
                                    .key = topic,
                                    .value = message.SerializeAsString()}}},
                       [stored](hubclient::EventsPut put) {
                         SKERRY_EXPECT_OK(put.status);
                         stored->Notify();
                       });
    ASSERT_TRUE(stored->WaitForNotificationWithTimeout(kLimit));
  }
  int64_t AwaitSuccess(const std::string& rule, int64_t count) {
    const absl::Time deadline = absl::Now() + kLimit;
    int64_t success = 0;
    do {
      const auto object = admin_->Get(kRules, "plant", rule);
      EXPECT_TRUE(object.ok());
      if (!object.ok()) return -1;
      success = kubeapi::IntAt(object->Json(), {"status", "successMessages"});
      std::this_thread::yield();
    } while (success != count && absl::Now() < deadline);
    return success;
  }

  skerry::testing::TempDir api_folder_;
  kubeclient::ApiProcess api_;
  std::unique_ptr<kubeclient::Client> admin_;
  Lines got_, published_;
  std::unique_ptr<http::Server> server_;  // The box's service and the cloud's target.
  std::unique_ptr<edgemeta::MetaApp> meta_;
  std::unique_ptr<servicebus::ServiceBusApp> bus_;
  exec::SerialExecutor executor_{"broker", clock_};
  metrics::Registry registry_{"eventbus-svc"};
  hubclient::HubClientMetrics hub_metrics_{registry_};
  std::unique_ptr<hubclient::HubClient> broker_;
  uint64_t sequence_ = 0;
  std::unique_ptr<router::RouterApp> router_;
};

TEST_F(RulesTest, TakeMessagesBothWays) {
  StartRouter();
  const auto called = RequestWhenConnected("/edge-1/plant/echo/x?y=1", "ping");
  EXPECT_EQ(called.status, 202) << called.body << called.error;
  EXPECT_EQ(called.body, "answer");
  EXPECT_THAT(got_.Await(1), ElementsAre("POST /box/x?y=1 ping"));

  const auto published = RequestWhenConnected("/edge-1/plant/led/on", "1");
  EXPECT_EQ(published.status, 200) << published.body;
  EXPECT_THAT(published_.Await(1), ElementsAre("cmd/led/on 1"));

  Publish("plant/alarms", "hot");
  EXPECT_THAT(got_.Await(2).back(), "POST /alarms hot");
  EXPECT_THAT(LocalPostWhenAllowed("order 7"), HasSubstr(R"("code":200)"));
  EXPECT_THAT(got_.Await(3).back(), "POST /orders order 7");

  for (const char* rule : {"call", "publish", "alarms", "orders"})
    EXPECT_EQ(AwaitSuccess(rule, 1), 1) << rule;
  EXPECT_EQ(Request("/edge-9/plant/led", "").status, 503);
  EXPECT_EQ(Request("/edge-1/other/led", "").status, 403);
}

// A caller that had no answer repeats itself; and the box has the last word on what of it is
// called.
TEST_F(RulesTest, ACallIsExecutedOnceAndOnlyWhereTheBoxAllowsIt) {
  StartRouter();
  ASSERT_EQ(RequestWhenConnected("/edge-1/plant/led", "").status, 200);
  const std::vector<std::string> key = {"Idempotency-Key: order 7/2"};
  EXPECT_EQ(Request("/edge-1/plant/echo", "ping", key).status, 202);
  EXPECT_EQ(Request("/edge-1/plant/echo", "ping", key).body, "answer");
  EXPECT_EQ(Request("/edge-1/plant/echo", "another", key).status, 400);  // Not the same call.
  const auto refused = Request("/edge-1/plant/admin", "ping");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("CALL_NOT_ALLOWED"));
  EXPECT_THAT(got_.Await(1), ElementsAre("POST /box ping"));
}

// What the box has while nobody in the cloud takes it arrives later, once and in order.
TEST_F(RulesTest, MessagesWaitForTheRouter) {
  EXPECT_THAT(LocalPost("order 0"), HasSubstr("is not allowed"));
  StartRouter();
  EXPECT_THAT(LocalPostWhenAllowed("order 0"), HasSubstr(R"("code":200)"));
  EXPECT_THAT(got_.Await(1), ElementsAre("POST /orders order 0"));
  router_->Drain(absl::Now() + absl::Seconds(5));
  router_->Stop();
  Publish("plant/alarms", "1");
  Publish("plant/nobody", "-");
  Publish("plant/alarms", "2");
  EXPECT_THAT(LocalPost("order 1"), HasSubstr(R"("code":200)"));
  StartRouter();
  EXPECT_THAT(got_.Await(4),
              ::testing::UnorderedElementsAre("POST /orders order 0", "POST /alarms 1",
                                              "POST /alarms 2", "POST /orders order 1"));
  EXPECT_EQ(AwaitSuccess("alarms", 2), 2);
  router_->Drain(absl::Now() + absl::Seconds(5));
  router_->Stop();
  Publish("plant/alarms", "3");
  StartRouter();
  EXPECT_THAT(got_.Await(5).back(), "POST /alarms 3");
  EXPECT_EQ(AwaitSuccess("alarms", 3), 3);
  EXPECT_EQ(got_.Await(5).size(), 5u);
}

}  // namespace
}  // namespace skerry::e2e
