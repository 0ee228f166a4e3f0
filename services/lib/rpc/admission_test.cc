// Who is admitted by a server with TLS: by certificate, by token; what those hear who are not.
#include "services/lib/rpc/admission.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/grpc/health/v1/health.grpc.pb.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/fake_edged.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/test_pki.h"
#include "services/lib/rpc/use_tls.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::rpc {
namespace {

namespace v1 = skerry::cloudhub::v1;

using ::skerry::testing::HasReason;
using ::skerry::testing::IsOk;
using ::skerry::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Knows "right" (an operator) and "unbound"; answers on a thread of its own, as the real one, and
// about "slow" when it is told to.
class FakeTokens final : public security::TokenAuthenticator {
 public:
  ~FakeTokens() override {
    for (std::thread& thread : threads_) thread.join();
  }
  void Authenticate(absl::string_view token, Done done) override {
    asked.emplace_back(token);
    threads_.emplace_back([this, token = std::string(token), done = std::move(done)]() mutable {
      if (token == "slow") {
        slow_asked.Notify();
        answer_slow.WaitForNotification();
      }
      if (token == "right" || token == "slow")
        return done(security::TokenIdentity{"jane", {"skerry:operators"}});
      if (token == "unbound") return done(security::TokenIdentity{"joe", {}});
      done(Error(absl::StatusCode::kUnauthenticated, "nobody's").Reason("TOKEN_INVALID"));
    });
  }

  std::vector<std::string> asked;
  absl::Notification slow_asked;
  absl::Notification answer_slow;

 private:
  std::vector<std::thread> threads_;
};

class Hub final : public v1::SpokeService::CallbackService {
 public:
  grpc::ServerBidiReactor<v1::SpokeFrame, v1::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return AcceptBidi<v1::SpokeFrame, v1::HubFrame>(
        context, {}, [this](const CallScope&, std::shared_ptr<Stream<v1::HubFrame>> stream) {
          accepted = true;
          stream->Close(absl::OkStatus());
          return StreamEvents<v1::SpokeFrame>{.on_message = [](v1::SpokeFrame) {},
                                              .on_closed = [](absl::Status) {}};
        });
  }
  std::atomic<bool> accepted = false;
};

class AdmissionTest : public ::testing::Test {
 protected:
  void Start(security::TokenAuthenticator* tokens) {
    ServerOptions options = {.listen = "127.0.0.1:0", .registry = &registry_};
    ASSERT_THAT(UseTls(options, pki_.Server(),
                       security::MethodPolicy(std::vector<security::MethodRule>{
                           {"/skerry.edged.v1.EdgedService/GetStatus", {"skerry:operators"}},
                           {"/skerry.cloudhub.v1.SpokeService/*", {"skerry:operators"}},
                           {"/grpc.health.v1.Health/*", {"skerry:operators"}}}),
                       tokens),
                IsOk());
    server_ = *Server::Create(options, {&service_, &hub_});
    server_->SetServing(true);
  }
  std::shared_ptr<grpc::Channel> Dial(const security::TlsFiles& files) {
    return *MakeChannel({.target = server_->address(),
                         .credentials = *security::MutualTlsClient(files),
                         .own_connection = true});
  }
  // Shows no certificate.
  std::shared_ptr<grpc::Channel> DialBare() {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = pki_.ca().certificate_pem();
    return grpc::CreateChannel(server_->address(), grpc::SslCredentials(options));
  }
  static absl::Status Get(const std::shared_ptr<grpc::Channel>& channel,
                          const std::vector<std::string>& authorization) {
    auto stub = skerry::edged::v1::EdgedService::NewStub(channel);
    skerry::edged::v1::EdgedStatus response;
    return CallUnary(kPatience, [&](grpc::ClientContext* context) {
      for (const std::string& value : authorization) context->AddMetadata("authorization", value);
      return stub->GetStatus(context, {}, &response);
    });
  }
  static absl::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel,
                                  const std::string& authorization) {
    auto stub = grpc::health::v1::Health::NewStub(channel);
    grpc::health::v1::HealthCheckResponse response;
    return CallUnary(kPatience, [&](grpc::ClientContext* context) {
      if (!authorization.empty()) context->AddMetadata("authorization", authorization);
      return stub->Check(context, {}, &response);
    });
  }
  static absl::Status Attach(const std::shared_ptr<grpc::Channel>& channel,
                             const std::string& authorization) {
    auto stub = v1::SpokeService::NewStub(channel);
    absl::Notification closed;
    absl::Status ending;
    auto stream = DialBidi<v1::HubFrame, v1::SpokeFrame>(
        [&](grpc::ClientContext* context, auto* reactor) {
          if (!authorization.empty()) context->AddMetadata("authorization", authorization);
          stub->async()->Attach(context, reactor);
        },
        {},
        {.on_message = [](v1::HubFrame) {},
         .on_closed =
             [&](absl::Status status) {
               ending = std::move(status);
               closed.Notify();
             }});
    if (!closed.WaitForNotificationWithTimeout(kPatience)) return absl::InternalError("not closed");
    return ending;
  }

  testing::TempDir dir_;
  metrics::Registry registry_{"test"};
  TestPki pki_{dir_.path()};
  FakeTokens tokens_;
  exec::ThreadPool pool_{"test", 2, 2};
  FakeEdged service_{pool_};
  Hub hub_;
  std::unique_ptr<Server> server_;
};

TEST_F(AdmissionTest, DeniesByDefaultWhatThePolicyDoesNotNameAndSaysWhy) {
  Start(nullptr);
  const absl::Status denied = Get(Dial(pki_.Client("system:nodes")), {});
  EXPECT_THAT(denied,
              AllOf(StatusIs(absl::StatusCode::kPermissionDenied), HasReason("METHOD_DENIED")));
  EXPECT_THAT(std::string(denied.message()), HasSubstr("O=skerry:operators"));
  EXPECT_EQ(GetErrorInfo(denied).metadata["method"], "/skerry.edged.v1.EdgedService/GetStatus");
  EXPECT_THAT(Get(Dial(pki_.Client("skerry:operators")), {}), IsOk());
}

TEST_F(AdmissionTest, RefusesAStreamBeforeItsHandlerAndSaysWhy) {
  Start(nullptr);
  EXPECT_THAT(Attach(Dial(pki_.Client("system:nodes")), ""), HasReason("METHOD_DENIED"));
  EXPECT_FALSE(hub_.accepted);
  EXPECT_THAT(Attach(Dial(pki_.Client("skerry:operators")), ""), IsOk());
  EXPECT_TRUE(hub_.accepted);
}

TEST_F(AdmissionTest, RefusesGrpcsOwnMethodsToo) {
  Start(&tokens_);
  const absl::Status denied = CheckHealth(Dial(pki_.Client("system:nodes")), "");
  EXPECT_THAT(denied, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(std::string(denied.message()), HasSubstr("O=skerry:operators"));
  EXPECT_THAT(CheckHealth(DialBare(), ""), StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(CheckHealth(DialBare(), "Bearer wrong"),
              StatusIs(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(CheckHealth(DialBare(), "Bearer right"), IsOk());
}

TEST_F(AdmissionTest, KnowsWhoseATokenIs) {
  Start(&tokens_);
  PeerIdentity peer;
  service_.handler = [&](const CallScope& scope) {
    peer = scope.peer;
    return absl::OkStatus();
  };
  EXPECT_THAT(Get(DialBare(), {"bearer right"}), IsOk());
  EXPECT_EQ(peer.common_name, "jane");
  EXPECT_THAT(peer.organizations, ElementsAre("skerry:operators"));
  EXPECT_EQ(peer.key_hash, "");
  EXPECT_THAT(peer.address, HasSubstr("127.0.0.1"));
  EXPECT_THAT(Attach(DialBare(), "Bearer right"), IsOk());
}

TEST_F(AdmissionTest, RefusesTokensWithTheReason) {
  Start(&tokens_);
  bool called = false;
  service_.handler = [&](const CallScope&) {
    called = true;
    return absl::OkStatus();
  };
  auto channel = DialBare();
  EXPECT_THAT(Get(channel, {"Bearer wrong"}),
              AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TOKEN_INVALID")));
  const absl::Status unbound = Get(channel, {"Bearer unbound"});
  EXPECT_THAT(unbound,
              AllOf(StatusIs(absl::StatusCode::kPermissionDenied), HasReason("USER_UNBOUND")));
  EXPECT_THAT(std::string(unbound.message()), AllOf(HasSubstr("'joe'"), HasSubstr("auth.bearer")));
  EXPECT_THAT(Attach(channel, "Bearer unbound"), HasReason("USER_UNBOUND"));
  EXPECT_FALSE(called);
  EXPECT_FALSE(hub_.accepted);
}

TEST_F(AdmissionTest, AsksNobodyAboutWhatIsNoToken) {
  Start(&tokens_);
  auto channel = DialBare();
  EXPECT_THAT(Get(channel, {}), AllOf(StatusIs(absl::StatusCode::kUnauthenticated),
                                      HasReason("CREDENTIALS_MISSING")));
  for (const std::vector<std::string>& headers :
       std::vector<std::vector<std::string>>{{"Basic cmlnaHQ="},
                                             {"Bearer"},
                                             {"Bearer "},
                                             {"right"},
                                             {"Bearer right", "Bearer right"}}) {
    EXPECT_THAT(Get(channel, headers),
                AllOf(StatusIs(absl::StatusCode::kUnauthenticated), HasReason("TOKEN_INVALID")));
  }
  EXPECT_THAT(tokens_.asked, ElementsAre());
}

TEST_F(AdmissionTest, ACertificateCountsBeforeAToken) {
  Start(&tokens_);
  EXPECT_THAT(Get(Dial(pki_.Client("system:nodes")), {"Bearer right"}), HasReason("METHOD_DENIED"));
  EXPECT_THAT(Get(Dial(pki_.Client("skerry:operators")), {"Bearer wrong"}), IsOk());
  EXPECT_THAT(tokens_.asked, ElementsAre());

  testing::TempDir other_dir;
  TestPki other(other_dir.path());
  security::TlsFiles foreign = other.Client("skerry:operators");
  foreign.ca = dir_.path() + "/ca.crt";
  const absl::Status refused = rpc::Get(Dial(foreign), absl::Seconds(1));
  EXPECT_FALSE(refused.ok()) << "a certificate of another CA is nobody's";
}

TEST_F(AdmissionTest, TokensAreNothingWhereCertificatesAreRequired) {
  Start(nullptr);
  auto stub = skerry::edged::v1::EdgedService::NewStub(DialBare());
  skerry::edged::v1::EdgedStatus response;
  EXPECT_FALSE(CallUnary(absl::Seconds(1), [&](grpc::ClientContext* context) {
                 context->AddMetadata("authorization", "Bearer right");
                 return stub->GetStatus(context, {}, &response);
               }).ok());
}

TEST_F(AdmissionTest, ItsEndEndsACallThatWaitsForItsToken) {
  Start(&tokens_);
  auto channel = DialBare();
  absl::Status ending;
  std::thread caller([&] { ending = Get(channel, {"Bearer slow"}); });
  tokens_.slow_asked.WaitForNotification();
  std::thread stopper([&] { server_->Shutdown(absl::Now()); });
  caller.join();
  EXPECT_FALSE(ending.ok()) << "the server cancelled what was open";
  tokens_.answer_slow.Notify();
  stopper.join();
}

TEST_F(AdmissionTest, APolicyNeedsTls) {
  ServerOptions options = {.listen = "127.0.0.1:0"};
  options.policy = security::MethodPolicy({});
  EXPECT_THAT(Server::Create(options, {&service_}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::rpc
