// Real requests; the hub is played by the test.
#include "services/router-svc/gateway/rest_gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::router {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class AnsweringSender final : public CommandSender {
 public:
  void Send(NodeCommand command, Done done) override {
    commands.push_back(std::move(command));
    if (answers) return done(response);
    held.push_back(std::move(done));
    begun.Notify();
  }
  bool answers = true;
  std::vector<Done> held;
  absl::Notification begun;
  std::vector<NodeCommand> commands;
  absl::StatusOr<std::string> response = std::string();
};

class RestGatewayTest : public ::testing::Test {
 protected:
  RestGatewayTest() {
    Endpoint("rest", "rest", "{}");
    Endpoint("bus", "eventbus", "{}");
    Endpoint("svc", "servicebus", R"({"service_port":"8080"})");
    Rule("led", "/led", "bus", R"({"topic":"cmd/led"})");
    Rule("echo", "/echo", "svc", R"({"path":"/api"})");
    access_ = *RestAccess::Create(
        {.token_file = dir_.Write(
             "tokens.yaml",
             "tokens:\n"
             "  - {token: token-of-everybody, user: a, groups: ['skerry:router']}\n"
             "  - {token: token-of-plant-only, user: b, groups: ['skerry:router:plant']}\n"
             "  - {token: token-of-a-stranger, user: c, groups: [x]}\n")},
        clock_, log::Logger::Null());
    gateway_ = *RestGateway::Create({.listen = "127.0.0.1:0", .timeout = absl::Seconds(7)}, rules_,
                                    *access_, sender_, metrics_, registry_);
  }
  ~RestGatewayTest() override { gateway_->Shutdown(absl::Now()); }

  void Endpoint(const std::string& name, const std::string& type, const std::string& properties) {
    for (const char* ns : {"plant", "other"}) {
      rules_.UpsertEndpoint(*KubeObject::Parse(absl::StrCat(
          R"({"metadata":{"namespace":")", ns, R"(","name":")", name,
          R"("},"spec":{"ruleEndpointType":")", type, R"(","properties":)", properties, "}}")));
    }
  }
  void Rule(const std::string& name, const std::string& path, const std::string& target,
            const std::string& resource) {
    for (const char* ns : {"plant", "other"}) {
      rules_.UpsertRule(*KubeObject::Parse(
          absl::StrCat(R"({"metadata":{"namespace":")", ns, R"(","name":")", name, R"(","uid":"u-)",
                       name, R"("},"spec":{"source":"rest","sourceResource":{"path":")", path,
                       R"("},"target":")", target, R"(","targetResource":)", resource, "}}")));
    }
  }
  skerry::testing::CurlAnswer Post(const std::string& path, const std::string& body,
                                   std::vector<std::string> headers = {},
                                   const std::string& token = "token-of-everybody") {
    if (!token.empty()) headers.push_back("Authorization: Bearer " + token);
    return skerry::testing::Fetch({.url = absl::StrCat("http://", gateway_->address(), path),
                                   .method = "POST",
                                   .body = body,
                                   .headers = std::move(headers)});
  }

  skerry::testing::TempDir dir_;
  SystemClock clock_;
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RuleBook rules_{std::nullopt, metrics_};
  AnsweringSender sender_;
  std::unique_ptr<RestAccess> access_;
  std::unique_ptr<RestGateway> gateway_;
};

// [rt-2.2]
TEST_F(RestGatewayTest, PublishesOnTheBox) {
  const auto answer = Post("/edge-1/plant/led/on", "payload");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "message delivered\n");
  ASSERT_THAT(sender_.commands, SizeIs(1));
  const NodeCommand command = sender_.commands[0];
  EXPECT_EQ(command.node, "edge-1");
  EXPECT_EQ(command.type, "mqttpublish");
  EXPECT_EQ(command.deadline, absl::Seconds(7));
  EXPECT_THAT(command.key, StartsWith("rest-"));
  eventbus::v1::UserMessage message;
  ASSERT_TRUE(message.ParseFromString(command.payload));
  EXPECT_EQ(message.topic(), "cmd/led/on");
  EXPECT_EQ(message.payload(), "payload");
  Post("/edge-1/plant/led", "");
  EXPECT_NE(sender_.commands[1].key, command.key);
}

// [rt-2.3]
TEST_F(RestGatewayTest, CallsAServiceOfTheBox) {
  servicebus::v1::HttpResult result;
  result.set_status(418);
  result.set_body("tea");
  servicebus::v1::Header& header = *result.add_headers();
  header.set_name("X-Own");
  header.set_value("1");
  sender_.response = result.SerializeAsString();
  const auto answer = Post("/edge-1/plant/echo/a?x=1", "ping",
                           {"X-In: in", "Cookie: secret", "Idempotency-Key: k 1"});
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "tea");
  EXPECT_EQ(answer.headers.at("x-own"), "1");
  ASSERT_THAT(sender_.commands, SizeIs(1));
  EXPECT_EQ(sender_.commands[0].type, "http");
  EXPECT_EQ(sender_.commands[0].key, "rule-u-echo-k 1");
  servicebus::v1::HttpCall call;
  ASSERT_TRUE(call.ParseFromString(sender_.commands[0].payload));
  EXPECT_EQ(call.method(), "POST");
  EXPECT_EQ(call.url(), "http://127.0.0.1:8080/api/a?x=1");
  EXPECT_EQ(call.body(), "ping");
  std::string headers;
  for (const auto& h : call.headers()) absl::StrAppend(&headers, h.name(), "=", h.value(), ";");
  EXPECT_THAT(headers, HasSubstr("x-in=in;"));
  EXPECT_THAT(headers, HasSubstr("Idempotency-Key=k 1;"));
  EXPECT_THAT(headers, Not(HasSubstr("secret")));
  EXPECT_THAT(headers, Not(HasSubstr("Bearer")));
}

// [rt-2.4]
TEST_F(RestGatewayTest, LetsInWhoMay) {
  EXPECT_EQ(Post("/edge-1/plant/led", "", {}, "").status, 401);
  EXPECT_EQ(Post("/edge-1/plant/led", "", {}, "nobody-has-this-one").status, 401);
  EXPECT_EQ(Post("/edge-1/plant/led", "", {}, "token-of-a-stranger").status, 403);
  EXPECT_EQ(Post("/edge-1/other/led", "", {}, "token-of-plant-only").status, 403);
  EXPECT_THAT(sender_.commands, SizeIs(0));
  EXPECT_EQ(Post("/edge-1/plant/led", "", {}, "token-of-plant-only").status, 200);
  EXPECT_EQ(metrics_.requests.at("unauthorized")->Value(), 4);
}

TEST_F(RestGatewayTest, RefusesWhatIsNoRequest) {
  EXPECT_EQ(Post("/edge-1/plant/nothing", "").status, 404);
  EXPECT_EQ(Post("/edge-1", "").status, 400);
  EXPECT_EQ(Post("/edge-1/plant/led/%23", "").status, 400);
  EXPECT_EQ(Post("/edge-1/plant/led", "", {absl::StrCat("Idempotency-Key: ", std::string(65, 'x'))})
                .status,
            400);
  EXPECT_EQ(Post("/edge-1/plant/led", std::string(300 << 10, 'x')).status, 413);
  EXPECT_THAT(sender_.commands, SizeIs(0));
}

TEST_F(RestGatewayTest, BoundsWhatWaits) {
  auto narrow = *RestGateway::Create({.listen = "127.0.0.1:0", .requests_max = 1}, rules_, *access_,
                                     sender_, metrics_, registry_);
  const skerry::testing::CurlRequest request{
      .url = absl::StrCat("http://", narrow->address(), "/edge-1/plant/led"),
      .method = "POST",
      .headers = {"Authorization: Bearer token-of-everybody"}};
  sender_.answers = false;
  skerry::testing::CurlAnswer first;
  std::thread client([&] { first = skerry::testing::Fetch(request); });
  sender_.begun.WaitForNotification();
  EXPECT_EQ(skerry::testing::Fetch(request).status, 429);
  sender_.held[0](std::string());
  client.join();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(metrics_.requests.at("busy")->Value(), 1);
  narrow->Shutdown(absl::Now());
}

// [rt-2.5]
TEST_F(RestGatewayTest, TellsHowACommandFailed) {
  struct Case {
    absl::Status status;
    int http;
  };
  for (const Case& c :
       {Case{Error(absl::StatusCode::kUnavailable, "away").Reason("NODE_NOT_CONNECTED"), 503},
        Case{absl::DeadlineExceededError("late"), 504},
        Case{absl::PermissionDeniedError("no"), 403},
        Case{Error(absl::StatusCode::kResourceExhausted, "").Reason("HTTP_ANSWER_TOO_LARGE"), 502},
        Case{absl::ResourceExhaustedError(""), 429}, Case{absl::InternalError(""), 500}}) {
    sender_.response = c.status;
    EXPECT_EQ(Post("/edge-1/plant/led", "").status, c.http) << c.status;
  }
  sender_.response = Error(absl::StatusCode::kUnavailable, "away").Reason("NODE_NOT_CONNECTED");
  EXPECT_EQ(Post("/edge-1/plant/led", "").body, "NODE_NOT_CONNECTED: away\n");
  sender_.response = std::string("\xff");
  EXPECT_EQ(Post("/edge-1/plant/echo", "").status, 500);
  const auto changes = rules_.TakeStatus();
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].rule, "plant/echo");
  EXPECT_EQ(changes[0].status.fail_messages, 1);
  EXPECT_EQ(changes[1].status.fail_messages, 7);
}

}  // namespace
}  // namespace skerry::router
