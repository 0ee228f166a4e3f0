#include "services/edged-svc/adapters/network_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Hours(1);

class Result {
 public:
  NetworkProbes::Done Done() {
    return [this](absl::Status status) { promise_.set_value(std::move(status)); };
  }
  absl::Status Await() {
    std::future<absl::Status> future = promise_.get_future();
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no result within 30 s";
      abort();  // The probe still refers to this.
    }
    return future.get();
  }

 private:
  std::promise<absl::Status> promise_;
};

// Connections are made by the kernel, and nobody ever looks at them.
class SilentServer {
 public:
  int32_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

// Answers its only connection with these bytes and ends it.
class CannedServer {
 public:
  explicit CannedServer(std::string answer)
      : thread_([this, answer = std::move(answer)] {
          boost::system::error_code ignored;
          tcp::socket socket = acceptor_.accept(ignored);
          std::array<char, 4096> request;
          socket.read_some(asio::buffer(request), ignored);
          asio::write(socket, asio::buffer(answer), ignored);
        }) {}
  ~CannedServer() { thread_.join(); }
  int32_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::thread thread_;
};

std::string Often(absl::string_view text) {
  std::string all;
  while (all.size() < 1 << 20) absl::StrAppend(&all, text);
  return all;
}

HttpGet Get(int32_t port, const std::string& path = "/") {
  HttpGet get;
  get.target = {false, "127.0.0.1", port, path};
  get.user_agent = "kube-probe/1.32";
  return get;
}

class NetworkProbeTest : public ::testing::Test {
 protected:
  // "/status/404" answers so; "/to?where" redirects there.
  void Serve(const http::ServerOptions& options = {}) {
    auto server = http::Server::Create(
        options, [this](http::Request request, std::shared_ptr<http::Responder> responder) {
          {
            absl::MutexLock lock(&mutex_);
            last_ = request;
          }
          absl::string_view path = request.path;
          http::Response response;
          if (absl::ConsumePrefix(&path, "/status/")) {
            EXPECT_TRUE(absl::SimpleAtoi(path, &response.status));
          } else if (path == "/to") {
            response.status = 302;
            response.headers = {{"Location", request.query.at(0).first}};
          } else if (path == "/loop") {
            response.status = 301;
            response.headers = {{"Location", "loop"}};
          }
          responder->Send(response);
        });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    const std::string address = server_->address();
    ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port_));
  }
  absl::Status Http(HttpGet get, absl::Duration timeout = kLong) {
    Result result;
    probes_->Http(std::move(get), timeout, result.Done());
    return result.Await();
  }
  absl::Status Http(const std::string& path) { return Http(Get(port_, path)); }
  absl::Status Tcp(const std::string& host, int32_t port, absl::Duration timeout = kLong) {
    Result result;
    probes_->Tcp(host, port, timeout, result.Done());
    return result.Await();
  }
  http::Request last() {
    absl::MutexLock lock(&mutex_);
    return last_;
  }

  absl::Mutex mutex_;
  http::Request last_;
  std::unique_ptr<http::Server> server_;
  int32_t port_ = 0;
  std::unique_ptr<NetworkProbes> probes_ = std::make_unique<NetworkProbes>();
};

TEST_F(NetworkProbeTest, TheStatusDecides) {
  Serve();
  for (const int status : {200, 204, 299, 399})
    EXPECT_TRUE(Http(absl::StrCat("/status/", status)).ok());
  for (const int status : {400, 404, 503}) {
    const absl::Status result = Http(absl::StrCat("/status/", status));
    EXPECT_EQ(result.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(result.message(), absl::StrCat("HTTP probe failed with statuscode: ", status));
  }
  HttpGet hook = Get(port_, "/status/500");
  hook.any_status = true;
  EXPECT_TRUE(Http(hook).ok());
}

TEST_F(NetworkProbeTest, FollowsRedirectsOnTheSameHost) {
  Serve();
  EXPECT_TRUE(Http("/to?/status/200").ok());
  EXPECT_THAT(std::string(Http("/to?/status/500").message()), HasSubstr("statuscode: 500"));
  EXPECT_TRUE(Http("/to?http://other.example/").ok());  // Not asked.
  EXPECT_TRUE(Http("/status/302").ok());                // Without a Location.
  EXPECT_THAT(std::string(Http("/loop").message()), HasSubstr("stopped after 10 redirects"));
  EXPECT_FALSE(Http("/to?ftp://127.0.0.1/").ok());
}

TEST_F(NetworkProbeTest, SendsTheHeadersThatWereAskedFor) {
  Serve();
  ASSERT_TRUE(Http("/status/200").ok());
  EXPECT_EQ(last().Header("host"), absl::StrCat("127.0.0.1:", port_));
  EXPECT_EQ(last().Header("user-agent"), "kube-probe/1.32");
  EXPECT_EQ(last().Header("accept"), "*/*");
  HttpGet get = Get(port_, "/to?/status/200");
  get.headers = {{"host", "web.example"}, {"Accept", ""}, {"user-agent", "me"}, {"X", "y"}};
  ASSERT_TRUE(Http(get).ok());
  EXPECT_EQ(last().Header("host"), "web.example");
  EXPECT_EQ(last().Header("user-agent"), "me");
  EXPECT_EQ(last().Header("x"), "y");
  EXPECT_EQ(last().headers.count("accept"), 0u);
}

TEST_F(NetworkProbeTest, SpeaksTlsWithoutVerifying) {
  skerry::testing::TempDir dir;
  const auto ca = *security::CertificateAuthority::Create("nobody-knows-it", absl::Now());
  const auto issued = *ca->Issue(
      {.subject = {.common_name = "other.example"}, .now = absl::Now(), .for_server = true});
  Serve({.cert_file = dir.Write("crt", issued.certificate_pem),
         .key_file = dir.Write("key", issued.key_pem)});
  HttpGet get = Get(port_, "/to?/status/200");
  get.target.tls = true;
  EXPECT_TRUE(Http(get).ok());
  EXPECT_THAT(std::string(Http("/status/200").message()), HasSubstr("Get \"http://127.0.0.1:"));
}

TEST_F(NetworkProbeTest, ConnectsOrSaysWhyNot) {
  int32_t port = 0;
  {
    const SilentServer server;
    port = server.port();
    EXPECT_TRUE(Tcp("127.0.0.1", port).ok());
    EXPECT_TRUE(Tcp("localhost", port).ok());
  }
  const absl::Status refused = Tcp("127.0.0.1", port);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.message(),
            absl::StrCat("dial tcp 127.0.0.1:", port, ": connect: connection refused"));
  EXPECT_EQ(Http(Get(port)).message(),
            absl::StrCat("Get \"http://127.0.0.1:", port, "/\": dial tcp 127.0.0.1:", port,
                         ": connect: connection refused"));
  EXPECT_THAT(std::string(Tcp(std::string(300, 'x'), port).message()), HasSubstr("no such host"));
}

TEST_F(NetworkProbeTest, BadAnswers) {
  const struct {
    std::string answer;
    absl::StatusCode code;
  } kCases[] = {
      {"", absl::StatusCode::kFailedPrecondition},
      {"SSH-2.0-x\r\n", absl::StatusCode::kFailedPrecondition},
      {"HTTP/1.1 200 OK\r\n", absl::StatusCode::kFailedPrecondition},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x'), absl::StatusCode::kFailedPrecondition},
      {"HTTP/1.0 200 OK\r\n\r\nto the end", absl::StatusCode::kOk},
      // As for the kubelet, such an answer does not count at all.
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", absl::StatusCode::kUnavailable},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(20000, 'x'),
       absl::StatusCode::kOk},
      // What a length says reserves nothing.
      {"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\nx",
       absl::StatusCode::kUnavailable},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", absl::StatusCode::kOk},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", absl::StatusCode::kFailedPrecondition},
      // Headers, heads of chunks and trailers that do not end.
      {"HTTP/1.1 200 OK\r\n" + Often("X: 1\r\n"), absl::StatusCode::kFailedPrecondition},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + Often("x"),
       absl::StatusCode::kUnavailable},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + Often("X: 1\r\n"),
       absl::StatusCode::kUnavailable},
  };
  for (const auto& c : kCases) {
    const CannedServer server(c.answer);
    EXPECT_EQ(Http(Get(server.port())).code(), c.code) << c.answer.substr(0, 100);
  }
}

TEST_F(NetworkProbeTest, EndsInTime) {
  const SilentServer server;
  const absl::Status late = Http(Get(server.port()), absl::Milliseconds(20));
  EXPECT_EQ(late.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(late.message(), absl::StrCat("Get \"http://127.0.0.1:", server.port(),
                                         "/\": context deadline exceeded"));
}

// [edged-3.6]
TEST_F(NetworkProbeTest, ThoseThatHangDelayNoOther) {
  Serve();
  const SilentServer silent;
  std::vector<Result> hanging(500);
  for (Result& result : hanging) probes_->Http(Get(silent.port()), kLong, result.Done());
  EXPECT_TRUE(Http("/status/200").ok());
  EXPECT_TRUE(Tcp("localhost", silent.port()).ok());
  probes_.reset();
  for (Result& result : hanging) EXPECT_TRUE(absl::IsCancelled(result.Await()));
}

TEST_F(NetworkProbeTest, TooManyAreNotBegun) {
  probes_ = std::make_unique<NetworkProbes>(2);
  const SilentServer silent;
  Result hanging[2];
  for (Result& result : hanging) probes_->Http(Get(silent.port()), kLong, result.Done());
  EXPECT_TRUE(absl::IsUnavailable(Tcp("127.0.0.1", silent.port())));
  probes_.reset();
  for (Result& result : hanging) result.Await().IgnoreError();
}

}  // namespace
}  // namespace skerry::edged
