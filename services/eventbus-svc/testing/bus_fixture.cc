#include "services/eventbus-svc/testing/bus_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::IsOk;
using Json = nlohmann::json;

constexpr absl::Duration kPatience = absl::Seconds(30);

// The answer of a server at "127.0.0.1:port".
std::string HttpGet(const std::string& address, const std::string& path) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(address, ':');
  int port = 0;
  if (!absl::SimpleAtoi(parts.second, &port)) return "";
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer;
  const std::string request =
      absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
      send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  return answer;
}

}  // namespace

BusFixture::BusFixture() {
  config_.node_name = "edge-1";
  config_.run_dir = folder_.File("run");
  config_.state_dir = folder_.File("state");
  config_.reconnect_max = absl::Milliseconds(200);
  config_.mqtt_reconnect_max = absl::Milliseconds(500);
  std::filesystem::create_directory(config_.run_dir);
}

BusFixture::~BusFixture() { StopApp(); }

void BusFixture::StartBroker(const std::string& config) {
  auto broker = testing::LocalMosquitto::Start(config);
  ASSERT_THAT(broker, IsOk());
  broker_ = *std::move(broker);
  config_.mqtt_broker = broker_->uri();
}

void BusFixture::StartTwins() {
  twins_ = std::make_unique<FakeTwinService>(absl::StrCat("unix:", config_.run_dir, "/twin.sock"));
}

void BusFixture::StartHub() {
  hub_ = std::make_unique<hubclient::FakeEdgehub>(
      absl::StrCat("unix:", config_.run_dir, "/edgehub.sock"));
}

void BusFixture::StartApp() {
  app_ = std::make_unique<BusApp>(config_, clock_, log::Logger::Null());
  ASSERT_THAT(app_->Start(), IsOk());
}

void BusFixture::StopApp() {
  if (app_ == nullptr) return;
  app_->Drain(absl::Now() + absl::Seconds(5));
  app_->Stop();
  app_.reset();
}

void BusFixture::StartAll() {
  StartBroker();
  StartTwins();
  StartHub();
  twins_->AddDevice("plant/pump-1");
  probe_ = Probe("device");
  ASSERT_THAT(probe_->Subscribe("$hw/events/#"), IsOk());
  StartApp();
  ASSERT_TRUE(AwaitReady());
}

bool BusFixture::Await(absl::FunctionRef<bool()> condition) {
  for (const absl::Time deadline = absl::Now() + kPatience; absl::Now() < deadline;) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return condition();
}

bool BusFixture::AwaitReady() {
  return Await([&] { return app_->readiness().ready(); });
}

double BusFixture::Metric(const std::string& line) {
  for (const absl::string_view each :
       absl::StrSplit(HttpGet(app_->addresses()["ops"], "/metrics"), '\n')) {
    absl::string_view rest = each;
    double value = 0;
    if (absl::ConsumePrefix(&rest, line + " ") && absl::SimpleAtod(rest, &value)) return value;
  }
  return -1;
}

std::unique_ptr<testing::MqttProbe> BusFixture::Probe(const std::string& client_id) {
  auto probe = testing::MqttProbe::Connect({.uri = broker_->uri(), .client_id = client_id});
  EXPECT_THAT(probe, IsOk());
  return probe.ok() ? *std::move(probe) : nullptr;
}

Json BusFixture::Next(const std::string& suffix, const std::string& device) {
  const std::string text = probe_->Next(absl::StrCat("$hw/events/device/", device, "/", suffix));
  Json document = Json::parse(text, nullptr, false);
  EXPECT_FALSE(document.is_discarded()) << suffix << ": " << text;
  return WithoutTimes(std::move(document));
}

void BusFixture::Publish(const std::string& suffix, const std::string& payload,
                         const std::string& device) {
  ASSERT_THAT(probe_->Publish(absl::StrCat("$hw/events/device/", device, "/", suffix), payload),
              IsOk());
}

Json WithoutTimes(Json document) {
  if (document.is_array()) {
    for (Json& each : document) each = WithoutTimes(std::move(each));
  }
  if (!document.is_object()) return document;
  if (const auto it = document.find("timestamp"); it != document.end()) {
    EXPECT_NEAR(it->get<double>(), static_cast<double>(absl::ToUnixMillis(absl::Now())), 3600e3);
    document.erase(it);
  }
  for (auto& [key, value] : document.items()) value = WithoutTimes(std::move(value));
  return document;
}

}  // namespace skerry::eventbus
