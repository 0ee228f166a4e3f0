// Servers and unary calls over loopback with mTLS, and over Unix sockets.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/tls.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::rpc {
namespace {

namespace edged = skerry::edged::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(20);

// GetStatus runs what the test gives.
class FakeEdged final : public edged::EdgedService::CallbackService {
 public:
  explicit FakeEdged(exec::ThreadPool& pool) : pool_(pool) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const edged::GetStatusRequest*,
                                      edged::EdgedStatus* response) override {
    return RunUnary(context, pool_, [this, response](const CallScope& scope) {
      response->set_runtime("containerd");
      return handler ? handler(scope) : absl::OkStatus();
    });
  }

  std::function<absl::Status(const CallScope&)> handler;

 private:
  exec::ThreadPool& pool_;
};

absl::Status Get(const std::shared_ptr<grpc::Channel>& channel,
                 absl::Duration timeout = kPatience) {
  auto stub = edged::EdgedService::NewStub(channel);
  edged::EdgedStatus response;
  return CallUnary(timeout, [&](grpc::ClientContext* context) {
    return stub->GetStatus(context, {}, &response);
  });
}

// A CA and files of server and client below a temporary folder.
class Pki {
 public:
  explicit Pki(const std::string& folder) : folder_(folder) {
    ca_ = *security::CertificateAuthority::Create("test-ca", absl::Now());
    Write("ca.crt", ca_->certificate_pem());
  }

  security::TlsFiles Issue(const std::string& name, security::CertificateSpec spec) {
    spec.now = absl::Now();
    spec.for_server = spec.for_client = true;
    security::CertificateAndKey made = *ca_->Issue(spec);
    Write(name + ".key", made.key_pem);
    Write(name + ".crt", made.certificate_pem);
    return {folder_ + "/ca.crt", absl::StrCat(folder_, "/", name, ".crt"),
            absl::StrCat(folder_, "/", name, ".key")};
  }
  security::TlsFiles Server() {
    return Issue("server", {.subject = {.common_name = "server"},
                            .dns_names = {"hub"},
                            .ip_addresses = {"127.0.0.1"}});
  }
  security::TlsFiles Client(const std::string& organization = "system:nodes") {
    return Issue("client", {.subject = {.common_name = "system:node:n1",
                                        .organizations = {organization, "more"}}});
  }
  const security::CertificateAuthority& ca() const { return *ca_; }

 private:
  void Write(const std::string& name, const std::string& content) {
    ASSERT_TRUE(
        security::WriteFileAtomically(absl::StrCat(folder_, "/", name), content, 0600).ok());
  }
  const std::string folder_;
  std::unique_ptr<security::CertificateAuthority> ca_;
};

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> StartTls(const security::TlsFiles& files, ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    options.credentials = *security::MutualTlsServer(files);
    return *Server::Create(options, {&service_});
  }
  std::shared_ptr<grpc::Channel> Dial(const std::string& target, const security::TlsFiles& files,
                                      const std::string& server_name = "") {
    return *MakeChannel({.target = target,
                         .credentials = *security::MutualTlsClient(files),
                         .server_name = server_name,
                         .own_connection = true});
  }

  testing::TempDir dir_;
  Pki pki_{dir_.path()};
  exec::ThreadPool pool_{"test", 2, 2};
  FakeEdged service_{pool_};
};

TEST_F(ServerTest, TellsWhoCalls) {
  PeerIdentity peer;
  service_.handler = [&](const CallScope& scope) {
    peer = scope.peer;
    return absl::OkStatus();
  };
  auto server = StartTls(pki_.Server());
  EXPECT_THAT(Get(Dial(server->address(), pki_.Client())), testing::IsOk());
  EXPECT_EQ(peer.common_name, "system:node:n1");
  EXPECT_THAT(peer.organizations, ElementsAre("system:nodes", "more"));
  EXPECT_THAT(peer.address, HasSubstr("127.0.0.1"));
}

TEST_F(ServerTest, RefusesClientsWithoutACertificateOfItsCa) {
  auto server = StartTls(pki_.Server());
  grpc::SslCredentialsOptions without;
  without.pem_root_certs = pki_.ca().certificate_pem();
  auto anonymous = grpc::CreateChannel(server->address(), grpc::SslCredentials(without));
  EXPECT_FALSE(Get(anonymous, absl::Seconds(1)).ok());

  testing::TempDir other_dir;
  Pki other(other_dir.path());
  security::TlsFiles foreign = other.Client();
  foreign.ca = dir_.path() + "/ca.crt";  // Trusts the server, but is of another CA.
  EXPECT_FALSE(Get(Dial(server->address(), foreign), absl::Seconds(1)).ok());

  auto plaintext = grpc::CreateChannel(server->address(), grpc::InsecureChannelCredentials());
  EXPECT_FALSE(Get(plaintext, absl::Seconds(1)).ok());
}

TEST_F(ServerTest, ClientsCheckTheServersName) {
  auto server =
      StartTls(pki_.Issue("server", {.subject = {.common_name = "server"}, .dns_names = {"hub"}}));
  EXPECT_FALSE(Get(Dial(server->address(), pki_.Client()), absl::Seconds(1)).ok())
      << "127.0.0.1 is not in it";
  EXPECT_THAT(Get(Dial(server->address(), pki_.Client(), "hub")), testing::IsOk());
}

TEST_F(ServerTest, ServesAReplacedCertificateToNewConnections) {
  security::TlsFiles files = pki_.Server();
  auto server = StartTls(files);
  security::TlsFiles client = pki_.Client();
  auto open = Dial(server->address(), client);
  EXPECT_THAT(Get(open), testing::IsOk());
  EXPECT_FALSE(Get(Dial(server->address(), client, "renamed"), absl::Milliseconds(500)).ok());
  pki_.Issue("server", {.subject = {.common_name = "server"}, .dns_names = {"renamed"}});
  absl::Time limit = absl::Now() + kPatience;
  absl::Status status;
  do {
    status = Get(Dial(server->address(), client, "renamed"), absl::Milliseconds(500));
  } while (!status.ok() && absl::Now() < limit);
  EXPECT_THAT(status, testing::IsOk()) << "the file was replaced";
  EXPECT_THAT(Get(open), testing::IsOk()) << "open connections stay";
}

TEST_F(ServerTest, DeniesByDefaultWhatThePolicyDoesNotName) {
  ServerOptions options = {.listen = "127.0.0.1:0"};
  options.credentials = *security::MutualTlsServer(
      pki_.Server(), security::MethodPolicy(std::vector<security::MethodRule>{
                         {"/skerry.edged.v1.EdgedService/GetStatus", {"skerry:operators"}}}));
  auto server = *Server::Create(options, {&service_});
  absl::Status denied = Get(Dial(server->address(), pki_.Client("system:nodes")));
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(denied.message()), HasSubstr("O=skerry:operators"));
  EXPECT_THAT(Get(Dial(server->address(), pki_.Client("skerry:operators"))), testing::IsOk());
}

TEST_F(ServerTest, NamesTheTlsFileThatIsWrong) {
  security::TlsFiles good = pki_.Server();
  security::TlsFiles files = good;
  files.ca = dir_.path() + "/absent.crt";
  absl::Status status = security::MutualTlsServer(files).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("absent.crt"));

  files = good;
  files.cert = good.key;
  EXPECT_THAT(std::string(security::MutualTlsClient(files).status().message()),
              HasSubstr("not a certificate"));

  files = good;
  files.key = pki_.Client().key;
  EXPECT_THAT(std::string(security::MutualTlsServer(files).status().message()),
              HasSubstr("not that of the certificate"));

  files = good;
  files.key = "";
  EXPECT_EQ(security::MutualTlsServer(files).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, RefusesPlaintextBeyondTheMachine) {
  EXPECT_THAT(Server::Create({.listen = "0.0.0.0:0"}, {&service_}).status(),
              testing::HasReason("PLAINTEXT_REFUSED"));
  EXPECT_THAT(MakeChannel({.target = "hub.example.com:10005"}).status(),
              testing::HasReason("PLAINTEXT_REFUSED"));
  EXPECT_THAT(MakeChannel({.target = "127.evil.example.com:1"}).status(),
              testing::HasReason("PLAINTEXT_REFUSED"));
  EXPECT_TRUE(IsLocalAddress("unix:/run/x.sock"));
  EXPECT_TRUE(IsLocalAddress("localhost:1"));
  EXPECT_TRUE(IsLocalAddress("[::1]:1"));
  EXPECT_TRUE(IsLocalAddress("dns:///127.0.0.1:1"));
  EXPECT_FALSE(IsLocalAddress("10.0.0.1:1"));
  EXPECT_FALSE(IsLocalAddress("localhost.example.com:1"));
}

TEST_F(ServerTest, SaysWhichAddressIsTaken) {
  auto first = *Server::Create({.listen = "127.0.0.1:0"}, {&service_});
  FakeEdged other(pool_);
  absl::Status status = Server::Create({.listen = first->address()}, {&other}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(first->address()));
  EXPECT_EQ(Server::Create({.listen = "nonsense"}, {&other}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, ReplacesAStaleSocketButNotALiveOneNorAFile) {
  std::string path = dir_.path() + "/s.sock";
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {.sun_family = AF_UNIX};
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(fd);  // As a killed process leaves it.

  auto server = Server::Create({.listen = "unix:" + path}, {&service_});
  ASSERT_THAT(server, testing::IsOk());
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  EXPECT_THAT(Get(*MakeChannel({.target = "unix:" + path})), testing::IsOk());

  FakeEdged second(pool_);
  absl::Status status = Server::Create({.listen = "unix:" + path}, {&second}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process is serving"));
  EXPECT_THAT(Get(*MakeChannel({.target = "unix:" + path})), testing::IsOk())
      << "the first one still serves";

  std::string file = dir_.path() + "/notes.txt";
  std::ofstream(file) << "precious";
  status = Server::Create({.listen = "unix:" + file}, {&second}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not a socket"));
  EXPECT_TRUE(std::ifstream(file).good());
  EXPECT_EQ(Server::Create({.listen = "unix:" + std::string(200, 'x')}, {&second}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- Unary calls.

class UnaryTest : public ServerTest {
 protected:
  void SetUp() override {
    server_ = *Server::Create({.listen = "127.0.0.1:0", .registry = &registry_}, {&service_});
    channel_ = *MakeChannel({.target = server_->address(), .own_connection = true});
  }

  metrics::Registry registry_{"test-svc"};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(UnaryTest, CarriesErrorInfo) {
  service_.handler = [](const CallScope&) -> absl::Status {
    return Error(absl::StatusCode::kFailedPrecondition, "not bound")
        .Reason("DEVICE_UNBOUND")
        .Meta("device", "d1");
  };
  absl::Status status = Get(channel_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "not bound");
  EXPECT_EQ(GetErrorInfo(status).reason, "DEVICE_UNBOUND");
  EXPECT_EQ(GetErrorInfo(status).metadata.at("device"), "d1");
}

TEST_F(UnaryTest, RefusesWhenThePoolIsFull) {
  absl::Notification release;
  std::atomic<int> running = 0;
  service_.handler = [&](const CallScope&) {
    ++running;
    release.WaitForNotification();
    return absl::OkStatus();
  };
  std::atomic<int> good = 0;
  std::atomic<int> busy = 0;
  std::vector<std::thread> callers;
  auto call = [&](int count) {
    for (int i = 0; i < count; ++i) {
      callers.emplace_back([&] {
        absl::Status status = Get(channel_);
        if (status.ok()) ++good;
        if (GetErrorInfo(status).reason == "SERVER_BUSY") ++busy;
      });
    }
  };
  auto wait = [](const std::function<bool()>& condition) {
    absl::Time limit = absl::Now() + kPatience;
    while (!condition() && absl::Now() < limit) std::this_thread::yield();
    EXPECT_TRUE(condition());
  };
  call(2);
  wait([&] { return running.load() == 2; });
  call(2);
  wait([&] { return pool_.queued() == 2; });
  call(4);
  wait([&] { return busy.load() == 4; });
  release.Notify();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good.load(), 4);
  EXPECT_EQ(busy.load(), 4);
}

TEST_F(UnaryTest, TellsTheHandlerOfCancellation) {
  absl::Notification cancelled;
  service_.handler = [&](const CallScope& scope) {
    absl::Time limit = absl::Now() + kPatience;
    while (!scope.IsCancelled() && absl::Now() < limit) std::this_thread::yield();
    if (scope.IsCancelled()) cancelled.Notify();
    return absl::OkStatus();
  };
  EXPECT_EQ(Get(channel_, absl::Milliseconds(200)).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(cancelled.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(UnaryTest, GivesADeadlineToCallsWithoutOne) {
  absl::Time deadline;
  service_.handler = [&](const CallScope& scope) {
    deadline = scope.deadline;
    return absl::OkStatus();
  };
  auto stub = edged::EdgedService::NewStub(channel_);
  grpc::ClientContext context;
  edged::EdgedStatus response;
  ASSERT_TRUE(stub->GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.runtime(), "containerd");
  EXPECT_LT(deadline, absl::Now() + absl::Seconds(11));
}

TEST_F(UnaryTest, CountsCallsByMethodAndCode) {
  EXPECT_THAT(Get(channel_), testing::IsOk());
  service_.handler = [](const CallScope&) { return absl::NotFoundError("no"); };
  EXPECT_FALSE(Get(channel_).ok());
  std::string text = registry_.Render();
  auto series = [](const char* code) {
    return absl::StrCat("skerry_rpc_server_handling_seconds_count{code=\"", code,
                        "\",method=\"GetStatus\",service=\"skerry.edged.v1.EdgedService\"} 1");
  };
  EXPECT_THAT(text, HasSubstr(series("OK")));
  EXPECT_THAT(text, HasSubstr(series("NOT_FOUND")));
}

TEST_F(UnaryTest, ShutdownWaitsForRunningCalls) {
  absl::Notification running;
  absl::Notification release;
  service_.handler = [&](const CallScope&) {
    running.Notify();
    release.WaitForNotification();
    return absl::OkStatus();
  };
  absl::Status answer = absl::UnknownError("none");
  std::thread caller([&] { answer = Get(channel_); });
  running.WaitForNotification();
  std::thread stopper([&] { server_->Shutdown(absl::Now() + absl::Seconds(10)); });
  release.Notify();
  stopper.join();
  caller.join();
  EXPECT_THAT(answer, testing::IsOk());
}

TEST_F(UnaryTest, SaysWhetherItServes) {
  auto health = [this](const std::string& service) {
    // grpc.health.v1.HealthCheckRequest{service = 1} by hand: the generated code is not installed.
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    std::string bytes =
        service.empty() ? "" : absl::StrCat("\x0a", std::string(1, char(service.size())), service);
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    if (!status.ok()) return -1;
    grpc::Slice answer;
    response.DumpToSingleSlice(&answer);
    return answer.size() == 2 ? static_cast<int>(answer.begin()[1]) : 0;
  };
  constexpr int kServing = 1;
  constexpr int kNotServing = 2;
  server_->SetServing(true);
  EXPECT_EQ(health(""), kServing);
  EXPECT_EQ(health("skerry.edged.v1.EdgedService"), kServing);
  server_->SetServing(false);
  EXPECT_EQ(health(""), kNotServing);
  EXPECT_EQ(health("skerry.edged.v1.EdgedService"), kNotServing);
  EXPECT_EQ(health("unknown"), -1);
}

}  // namespace
}  // namespace skerry::rpc
