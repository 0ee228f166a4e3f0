#include "services/standalone-api-svc/app.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::standaloneapi {
namespace {

using testing::HasReason;
using testing::IsOk;

class StandaloneApiAppTest : public ::testing::Test {
 protected:
  StandaloneApiConfig Config() {
    StandaloneApiConfig config;
    config.listen = "127.0.0.1:0";
    config.state_dir = state_.path() + "/api";
    return config;
  }

  testing::TempDir state_;
  SystemClock clock_;
};

TEST_F(StandaloneApiAppTest, StartsAndWritesWhatClientsNeed) {
  StandaloneApiApp app(Config(), clock_, log::Logger::Null());
  ASSERT_TRUE(app.Start().ok());
  EXPECT_TRUE(app.readiness().ready());
  const std::string address = app.addresses().at("api");
  const std::string admin = state_.path() + "/api/kubeconfig/admin.kubeconfig";
  const std::string text = testing::ReadFileText(admin);
  EXPECT_NE(text.find("https://" + address), std::string::npos);
  struct stat info = {};
  ASSERT_EQ(stat(admin.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  app.Drain(clock_.Now() + absl::Seconds(5));
  EXPECT_FALSE(app.readiness().ready());
  app.Stop();
}

TEST_F(StandaloneApiAppTest, KeepsItsCaAndTheOperatorsPolicy) {
  const std::string ca = state_.path() + "/api/pki/ca.crt";
  const std::string policy = state_.path() + "/api/policy.yaml";
  std::string first;
  {
    StandaloneApiApp app(Config(), clock_, log::Logger::Null());
    ASSERT_TRUE(app.Start().ok());
    first = testing::ReadFileText(ca);
  }
  state_.Write("api/policy.yaml", "rules: []\n");
  StandaloneApiApp app(Config(), clock_, log::Logger::Null());
  // Nobody may do anything now; the server's own parts do not depend on it.
  EXPECT_TRUE(app.Start().ok());
  EXPECT_EQ(testing::ReadFileText(ca), first);
  EXPECT_EQ(testing::ReadFileText(policy), "rules: []\n");
}

// Here the certificates' first life is over before a client comes; the server and the client, which
// are not restarted, get the next ones.
TEST_F(StandaloneApiAppTest, OutlivesItsCertificates) {
  testing::FakeClock clock(absl::Now() - absl::Hours(2));
  StandaloneApiConfig config = Config();
  config.certificate_lifetime = absl::Hours(1);
  StandaloneApiApp app(config, clock, log::Logger::Null());
  ASSERT_THAT(app.Start(), IsOk());
  auto source = kubeclient::ConfigSource::Open(
      state_.path() + "/api/kubeconfig/edge-controller.kubeconfig", log::Logger::Null());
  ASSERT_THAT(source, IsOk());
  kubeclient::CurlClient client(*std::move(source), "test/1");
  EXPECT_THAT(client.GetRaw("/readyz", {}), HasReason("TLS_UNTRUSTED"));

  clock.Advance(absl::Hours(2));
  absl::Status answer;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  do {
    answer = client.GetRaw("/readyz", {}).status();
  } while (!answer.ok() && absl::Now() < deadline);
  EXPECT_THAT(answer, IsOk());
}

// [api-4.3] More of them than are looked at at a time.
TEST_F(StandaloneApiAppTest, EventsGoAnHourAfterTheyWereLastSeen) {
  testing::FakeClock clock(absl::Now());
  StandaloneApiApp app(Config(), clock, log::Logger::Null());
  ASSERT_THAT(app.Start(), IsOk());
  auto source = kubeclient::ConfigSource::Open(state_.path() + "/api/kubeconfig/admin.kubeconfig",
                                               log::Logger::Null());
  ASSERT_THAT(source, IsOk());
  kubeclient::CurlClient client(*std::move(source), "test/1");
  const auto make = [&](const std::string& name) {
    const std::string event = absl::StrCat(
        R"({"apiVersion":"v1","kind":"Event","metadata":{"name":")", name,
        R"("},"involvedObject":{"kind":"Pod","namespace":"default","name":"p"},"reason":"R",)",
        R"("lastTimestamp":"2020-01-01T00:00:00Z"})");
    ASSERT_THAT(client.Create(kubeclient::Events(), "default", event, {}), IsOk());
  };
  for (int i = 0; i < 520; ++i) make(absl::StrCat("old-", i));
  clock.Advance(absl::Minutes(50));
  make("young");  // Told late: what counts is when it came.
  clock.Advance(absl::Minutes(11));
  std::vector<KubeObject> left;
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  do {
    // A sweep that was under way just now looks at no clock until a minute after its end.
    clock.Advance(absl::Milliseconds(250));
    auto list = client.List(kubeclient::Events(), "default", {});
    ASSERT_THAT(list, IsOk());
    left = std::move(list->items);
  } while (left.size() != 1 && absl::Now() < deadline);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].name(), "young");
}

TEST_F(StandaloneApiAppTest, AppliesManifestsAtEveryStart) {
  StandaloneApiConfig config = Config();
  config.manifests_dir = state_.path() + "/manifests";
  ASSERT_EQ(mkdir(config.manifests_dir.c_str(), 0700), 0);
  state_.Write("manifests/a.yaml", R"(
kind: Buoy
apiVersion: sea.example.org/v1
metadata: {name: north}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buoys.sea.example.org}
spec:
  group: sea.example.org
  scope: Namespaced
  names: {kind: Buoy, plural: buoys}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
)");
  for (int i = 0; i < 2; ++i) {
    StandaloneApiApp app(config, clock_, log::Logger::Null());
    const absl::Status started = app.Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  state_.Write("manifests/b.yaml", "kind: Pod\napiVersion: v1\nmetadata: {name: x}\nspec: {}\n");
  StandaloneApiApp app(config, clock_, log::Logger::Null());
  const absl::Status refused = app.Start();
  EXPECT_NE(std::string(refused.message()).find("manifest Pod x"), std::string::npos) << refused;
}

// With the definitions of the chart, what a user would apply first.
TEST_F(StandaloneApiAppTest, TakesTheExampleDevices) {
  StandaloneApiConfig config = Config();
  config.manifests_dir = state_.path() + "/manifests";
  ASSERT_EQ(mkdir(config.manifests_dir.c_str(), 0700), 0);
  const std::string crds = "charts/skerry-cloud/crds/devices.kubeedge.io_";
  for (const std::string& file : {crds + "devices.yaml", crds + "devicemodels.yaml",
                                  std::string("examples/devices/modbus-pump.yaml"),
                                  std::string("examples/devices/virtual-room.yaml")}) {
    const std::string text = testing::ReadFileText(file);
    ASSERT_NE(text, "") << file;
    state_.Write("manifests/" + file.substr(file.rfind('/') + 1), text);
  }
  StandaloneApiApp app(config, clock_, log::Logger::Null());
  EXPECT_THAT(app.Start(), IsOk());
}

}  // namespace
}  // namespace skerry::standaloneapi
