// Servers over loopback with mTLS, and over Unix sockets.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/fake_edged.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/test_pki.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  TestPki pki_{dir_.path()};
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
  security::TlsFiles client = pki_.Client();
  EXPECT_THAT(Get(Dial(server->address(), client)), testing::IsOk());
  EXPECT_EQ(peer.common_name, "system:node:n1");
  EXPECT_EQ(peer.key_hash,
            security::ParseCertificatePem(*security::ReadSmallFile(client.cert))->key_sha256_hex);
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
  TestPki other(other_dir.path());
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

}  // namespace
}  // namespace skerry::rpc
