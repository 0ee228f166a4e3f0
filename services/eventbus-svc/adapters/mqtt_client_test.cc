// Against a real mosquitto.
#include "services/eventbus-svc/adapters/mqtt_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/eventbus-svc/testing/local_mosquitto.h"
#include "services/eventbus-svc/testing/mqtt_probe.h"
#include "services/lib/base/error.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::LocalMosquitto;
using skerry::testing::MqttProbe;
using skerry::testing::TempDir;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(30);

class Listener final : public MqttListener {
 public:
  void OnMqttConnected(int refused) override {
    absl::MutexLock lock(&mutex_);
    ++connections_;
    refused_ = refused;
  }
  void OnMqttDisconnected(const absl::Status& why) override {
    absl::MutexLock lock(&mutex_);
    ends_.push_back(why);
  }
  void OnMqttRefused(int refused) override {
    absl::MutexLock lock(&mutex_);
    refused_ = refused;
  }
  void OnMqttUnsubscribed(const std::set<std::string>& filters) override {
    absl::MutexLock lock(&mutex_);
    unsubscribed_.insert(filters.begin(), filters.end());
  }
  void OnMqttPublished(uint64_t id, const absl::Status& status) override {
    absl::MutexLock lock(&mutex_);
    published_[id] = status;
  }
  void OnMqttMessage(MqttMessage message) override {
    absl::MutexLock lock(&mutex_);
    entered_ = true;
    mutex_.Await(absl::Condition(
        +[](bool* held) { return !*held; }, &held_));
    messages_.push_back(std::move(message));
  }

  bool AwaitConnections(int count) {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return connections_ >= count; });
  }
  bool AwaitEnds(size_t count) {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return ends_.size() >= count; });
  }
  bool AwaitPublished(size_t count) {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return published_.size() >= count; });
  }
  bool AwaitMessages(size_t count) {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return messages_.size() >= count; });
  }
  bool AwaitUnsubscribed(const std::string& filter) {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return unsubscribed_.count(filter) > 0; });
  }
  // OnMqttMessage has been called.
  bool AwaitHeld() {
    return Await([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return entered_; });
  }
  int refused() {
    absl::MutexLock lock(&mutex_);
    return refused_;
  }
  absl::Status LastEnd() {
    absl::MutexLock lock(&mutex_);
    return ends_.back();
  }
  std::map<uint64_t, absl::Status> published() {
    absl::MutexLock lock(&mutex_);
    return published_;
  }
  std::vector<MqttMessage> messages() {
    absl::MutexLock lock(&mutex_);
    return messages_;
  }
  // From now on OnMqttMessage does not return.
  void Hold(bool held) {
    absl::MutexLock lock(&mutex_);
    held_ = held;
  }

 private:
  template <typename Condition>
  bool Await(const Condition& condition) {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&condition), kPatience);
  }

  absl::Mutex mutex_;
  bool entered_ ABSL_GUARDED_BY(mutex_) = false;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  int refused_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<absl::Status> ends_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, absl::Status> published_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> unsubscribed_ ABSL_GUARDED_BY(mutex_);
  std::vector<MqttMessage> messages_ ABSL_GUARDED_BY(mutex_);
};

// Both versions of MQTT.
class MqttClientTest : public ::testing::TestWithParam<bool> {
 protected:
  void StartBroker(const std::string& config = "allow_anonymous true") {
    auto broker = LocalMosquitto::Start(config);
    ASSERT_THAT(broker, IsOk());
    broker_ = *std::move(broker);
    options_.broker = broker_->uri();
  }
  // Its certificate is of a CA that the system knows by its file of all alone, as in our images.
  void StartTlsBroker() {
    const auto ca = *security::CertificateAuthority::Create("ca", absl::Now());
    const auto own = *ca->Issue({.subject = {.common_name = "broker"},
                                 .ip_addresses = {"127.0.0.1"},
                                 .now = absl::Now(),
                                 .for_server = true});
    StartBroker(absl::StrCat("allow_anonymous true\ncertfile ",
                             files_.Write("broker.crt", own.certificate_pem), "\nkeyfile ",
                             files_.Write("broker.key", own.key_pem)));
    options_.broker = broker_->uri("ssl");
    options_.system_roots = {.folder = files_.path(),
                             .file = files_.Write("ca-certificates.crt", ca->certificate_pem())};
  }
  void StartClient() {
    options_.client_id = "eventbus";
    options_.version_5 = GetParam();
    options_.reconnect_min = absl::Milliseconds(20);
    options_.reconnect_max = absl::Milliseconds(200);
    if (options_.topic_filters.empty()) options_.topic_filters = {"in/#", "more/+"};
    client_ =
        std::make_unique<MqttClient>(options_, executor_, clock_, listener_, log::Logger::Null());
    client_->Start();
  }
  std::unique_ptr<MqttProbe> Probe(MqttProbe::Options options = {}) {
    if (options.uri.empty()) options.uri = broker_->uri();
    auto probe = MqttProbe::Connect(options);
    EXPECT_THAT(probe, IsOk());
    return *std::move(probe);
  }
  absl::Status Publish(uint64_t id, const Publication& publication) {
    absl::Status status;
    executor_.Run([&] { status = client_->Publish(id, publication); });
    return status;
  }
  void SetFilters(std::set<std::string> wanted, std::set<std::string> unwanted) {
    executor_.Run([&] { client_->SetFilters(std::move(wanted), std::move(unwanted)); });
  }
  ~MqttClientTest() override {
    listener_.Hold(false);
    if (client_ != nullptr) client_->Stop();
    executor_.Stop();
  }

  SystemClock clock_;
  Listener listener_;
  TempDir files_;
  MqttOptions options_;
  std::unique_ptr<LocalMosquitto> broker_;
  exec::SerialExecutor executor_{"mqtt", clock_};
  std::unique_ptr<MqttClient> client_;
};

TEST_P(MqttClientTest, SubscribesAndPublishesInOrder) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  EXPECT_EQ(listener_.refused(), 0);
  const auto probe = Probe();
  ASSERT_THAT(probe->Subscribe("out"), IsOk());
  for (uint64_t i = 1; i <= 50; ++i) {
    ASSERT_THAT(Publish(i, {.topic = "out", .payload = absl::StrCat(i)}), IsOk());
  }
  for (int i = 1; i <= 50; ++i) EXPECT_EQ(probe->Next("out"), absl::StrCat(i));
  ASSERT_TRUE(listener_.AwaitPublished(50));
  for (const auto& [id, status] : listener_.published()) EXPECT_THAT(status, IsOk()) << id;

  ASSERT_THAT(probe->Publish("in/a/b", std::string("\0x\xff", 3)), IsOk());
  ASSERT_THAT(probe->Publish("more/c", ""), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(2));
  const auto messages = listener_.messages();
  EXPECT_EQ(messages[0].topic, "in/a/b");
  EXPECT_EQ(messages[0].payload, std::string("\0x\xff", 3));
  EXPECT_FALSE(messages[0].retained);
  EXPECT_EQ(messages[1].topic, "more/c");
  EXPECT_EQ(messages[1].payload, "");
}

TEST_P(MqttClientTest, OfLargePayloadsOnlyTheBeginningIsKept) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  ASSERT_THAT(Probe()->Publish("in/a", std::string(600 << 10, 'x')), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(1));
  EXPECT_EQ(listener_.messages()[0].size_bytes, 600u << 10);
  EXPECT_EQ(listener_.messages()[0].payload.size(), kMqttPayloadKept);
}

TEST_P(MqttClientTest, WhatWasSentWhileItWasAwayComesLater) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  client_->Stop();
  ASSERT_THAT(Probe()->Publish("in/a", "meanwhile"), IsOk());
  StartClient();
  ASSERT_TRUE(listener_.AwaitMessages(1));
  EXPECT_EQ(listener_.messages()[0].payload, "meanwhile");
}

TEST_P(MqttClientTest, ComesBackToABrokerThatWasKilled) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  broker_->Kill();
  ASSERT_TRUE(listener_.AwaitEnds(3));  // It tries on.
  EXPECT_THAT(Publish(1, {.topic = "out"}), HasReason("MQTT_DISCONNECTED"));
  ASSERT_THAT(broker_->Restart(), IsOk());
  ASSERT_TRUE(listener_.AwaitConnections(2));
  ASSERT_THAT(Probe()->Publish("in/a", "again"), IsOk());  // It is subscribed again.
  ASSERT_TRUE(listener_.AwaitMessages(1));
}

TEST_P(MqttClientTest, FiltersComeAndGoWithAndWithoutAConnection) {
  StartBroker();
  StartClient();
  SetFilters({"rule/a", "rule/b/#"}, {});
  ASSERT_TRUE(listener_.AwaitConnections(1));
  const auto probe = Probe();
  ASSERT_THAT(probe->Publish("rule/a", "1"), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(1));
  SetFilters({"rule/b/#", "rule/c"}, {"rule/a", "rule/never"});
  ASSERT_TRUE(listener_.AwaitUnsubscribed("rule/a"));
  EXPECT_TRUE(listener_.AwaitUnsubscribed("rule/never"));
  for (const char* topic : {"rule/a", "rule/b/x", "rule/c", "in/a"}) {
    ASSERT_THAT(probe->Publish(topic, topic), IsOk());
  }
  ASSERT_TRUE(listener_.AwaitMessages(4));
  EXPECT_EQ(listener_.messages()[1].payload, "rule/b/x");
  EXPECT_EQ(listener_.messages()[2].payload, "rule/c");
  EXPECT_EQ(listener_.messages()[3].payload, "in/a");
  // The broker keeps the subscriptions of a session: what goes while we are away has to be ended.
  client_->Stop();
  StartClient();
  SetFilters({"rule/c"}, {"rule/b/#"});
  ASSERT_TRUE(listener_.AwaitUnsubscribed("rule/b/#"));
  for (const char* topic : {"rule/b/x", "rule/c"}) {
    ASSERT_THAT(probe->Publish(topic, topic), IsOk());
  }
  ASSERT_TRUE(listener_.AwaitMessages(5));
  EXPECT_EQ(listener_.messages()[4].payload, "rule/c");
}

// [eb-4.3] What the listener has not done with is the broker's still.
TEST_P(MqttClientTest, AMessageIsAcknowledgedWhenTheListenerHasDoneWithIt) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  listener_.Hold(true);
  ASSERT_THAT(Probe()->Publish("in/a", "1"), IsOk());
  ASSERT_TRUE(listener_.AwaitHeld());
  // Nothing acknowledges it now: who comes after it has it. The broker ends the connection of a
  // client with the same id.
  const auto successor = Probe({.client_id = "eventbus", .clean_session = false});
  EXPECT_EQ(successor->Next("in/a"), "1");
  listener_.Hold(false);
}

TEST_P(MqttClientTest, WhatTheListenerHasDoneWithIsAcknowledged) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  const auto probe = Probe();
  for (int i = 0; i < 100; ++i) ASSERT_THAT(probe->Publish("in/a", absl::StrCat(i)), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(100));
  client_->Stop();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(2));
  ASSERT_THAT(probe->Publish("in/a", "last"), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(101));
  EXPECT_EQ(listener_.messages()[100].payload, "last");
  const auto messages = listener_.messages();
  for (const MqttMessage& message : messages) EXPECT_FALSE(message.delivery.duplicate);
}

TEST_P(MqttClientTest, WhoHoldsTheListenerHoldsTheBroker) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  listener_.Hold(true);
  const auto probe = Probe();
  for (int i = 0; i < 20; ++i) ASSERT_THAT(probe->Publish("in/a", absl::StrCat(i)), IsOk());
  EXPECT_TRUE(listener_.messages().empty());
  listener_.Hold(false);
  ASSERT_TRUE(listener_.AwaitMessages(20));
  const auto messages = listener_.messages();
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(messages[i].payload, absl::StrCat(i));
}

TEST_P(MqttClientTest, SaysThatCredentialsAreWrongAndTakesMendedOnes) {
  const std::string passwords = files_.File("passwords");
  ASSERT_EQ(system(absl::StrCat("mosquitto_passwd -b -c ", passwords, " eventbus right").c_str()),
            0);
  StartBroker(absl::StrCat("allow_anonymous false\npassword_file ", passwords));
  options_.credentials_file = files_.Write("credentials", "eventbus\nwrong\n");
  StartClient();
  ASSERT_TRUE(listener_.AwaitEnds(1));
  EXPECT_THAT(listener_.LastEnd().message(), HasSubstr("mqtt.credentials_file"));
  EXPECT_FALSE(absl::IsUnavailable(listener_.LastEnd()));
  files_.Write("credentials", "eventbus\nright\n");
  EXPECT_TRUE(listener_.AwaitConnections(1));
}

TEST_P(MqttClientTest, NamesAFileThatIsMissing) {
  StartBroker();
  options_.credentials_file = files_.File("absent");
  StartClient();
  ASSERT_TRUE(listener_.AwaitEnds(1));
  EXPECT_THAT(listener_.LastEnd(), HasReason("MQTT_FILE_UNREADABLE"));
  EXPECT_THAT(listener_.LastEnd().message(), HasSubstr(files_.File("absent")));
}

TEST_P(MqttClientTest, TrustsTheSystemsRoots) {
  StartTlsBroker();
  StartClient();
  EXPECT_TRUE(listener_.AwaitConnections(1));
}

TEST_P(MqttClientTest, TrustsTheSystemsRootsByTheirHashes) {
  StartTlsBroker();
  ASSERT_EQ(system(absl::StrCat("openssl rehash ", files_.path()).c_str()), 0);
  options_.system_roots.file = files_.File("absent");
  StartClient();
  EXPECT_TRUE(listener_.AwaitConnections(1));
}

TEST_P(MqttClientTest, SaysThatTheSystemHasNoRoots) {
  StartTlsBroker();
  options_.system_roots.file = files_.File("absent");
  StartClient();
  ASSERT_TRUE(listener_.AwaitEnds(1));
  EXPECT_THAT(listener_.LastEnd(), HasReason("CA_CERTIFICATES_MISSING"));
  EXPECT_TRUE(absl::IsFailedPrecondition(listener_.LastEnd()));
  EXPECT_THAT(listener_.LastEnd().message(), HasSubstr("mqtt.ca_file"));
}

TEST_P(MqttClientTest, TrustsNobodyElse) {
  StartTlsBroker();
  options_.system_roots.file = "/etc/ssl/certs/ca-certificates.crt";
  StartClient();
  ASSERT_TRUE(listener_.AwaitEnds(1));
  EXPECT_THAT(listener_.LastEnd().message(), HasSubstr("certificate verify failed"));
}

TEST_P(MqttClientTest, TellsWhichFiltersWereRefused) {
  StartBroker(absl::StrCat("allow_anonymous true\nacl_file ",
                           files_.Write("acl", "topic readwrite in/#\n")));
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  // A subscription of MQTT 3.1.1 that is not allowed is granted, and nothing comes of it.
  EXPECT_LE(listener_.refused(), 1);
  ASSERT_THAT(Probe()->Publish("in/a", "x"), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(1));
}

TEST_P(MqttClientTest, EndsWhileTheListenerWaits) {
  StartBroker();
  StartClient();
  ASSERT_TRUE(listener_.AwaitConnections(1));
  ASSERT_THAT(Probe()->Publish("in/a", "x"), IsOk());
  ASSERT_TRUE(listener_.AwaitMessages(1));
  client_->Stop();
  client_->Stop();
  EXPECT_THAT(client_->Publish(1, {.topic = "out"}), HasReason("MQTT_DISCONNECTED"));
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttClientTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Mqtt5" : "Mqtt311"; });

}  // namespace
}  // namespace skerry::eventbus
