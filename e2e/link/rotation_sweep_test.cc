// Both ends of a certificate's rotation, dying at every step of it. The transport is a function
// call, the clock a fake; what each end has on its disk is real.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "services/cloudhub-svc/join/join_metrics.h"
#include "services/cloudhub-svc/join/node_registry.h"
#include "services/cloudhub-svc/join/renewal_handler.h"
#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/join/sqlite_token_store.h"
#include "services/edgehub-svc/metrics.h"
#include "services/edgehub-svc/renewal/certificate_renewer.h"
#include "services/edgehub-svc/renewal/node_identity.h"
#include "services/lib/http/server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

using testing::HasReason;
using testing::IsOk;

const security::CertificateSubject kSubject = {.common_name = "system:node:edge-1",
                                               .organizations = {"system:nodes"}};
constexpr absl::Duration kDay = absl::Hours(24);

// Counts steps; from the one where it is to happen on, everything is dead.
class Death {
 public:
  explicit Death(int at_step) : at_step_(at_step) {}
  // False: the process died before the step, or long ago.
  bool Survives() {
    ++steps_;
    return !happened();
  }
  bool happened() const { return at_step_ > 0 && steps_ >= at_step_; }

 private:
  const int at_step_;
  int steps_ = 0;
};

absl::Status Dead() { return absl::UnavailableError("died"); }

// The hub's registry, dying before or after it has committed.
class MortalRegistry final : public cloudhub::NodeRegistry {
 public:
  MortalRegistry(NodeRegistry& real, Death& death) : real_(real), death_(death) {}
  absl::Status BeginRotation(const NodeName& node, absl::string_view key_hash,
                             absl::string_view next_key_hash, absl::Time now) override {
    if (!death_.Survives()) return Dead();
    const absl::Status begun = real_.BeginRotation(node, key_hash, next_key_hash, now);
    return death_.Survives() ? begun : Dead();
  }
  absl::Status SetDisabled(const NodeName&, bool) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<NodeName>> DisabledNodes() override { return std::vector<NodeName>(); }

 private:
  NodeRegistry& real_;
  Death& death_;
};

// The way between the ends: requests and answers get lost when an end dies.
class MortalWay final : public edgehub::RenewalClient {
 public:
  MortalWay(cloudhub::RenewalHandler& handler, Death& death) : handler_(handler), death_(death) {}
  absl::StatusOr<std::string> Renew(const edgehub::NodeIdentity& present,
                                    absl::string_view csr_pem) override {
    if (!death_.Survives()) return Dead();
    http::Request request = {.method = "POST", .path = "/v1/renew", .body = std::string(csr_pem)};
    request.client = {.pem = present.pem};
    const http::Response response = handler_.Handle(request);
    if (!death_.Survives()) return Dead();
    const nlohmann::json body = nlohmann::json::parse(response.body);
    if (response.status != 200) return absl::PermissionDeniedError(response.body);
    return body["certificate"].get<std::string>();
  }
  void Cancel() override {}

 private:
  cloudhub::RenewalHandler& handler_;
  Death& death_;
};

class RotationSweepTest : public ::testing::Test {
 protected:
  RotationSweepTest() {
    dir_.Write("ca.crt", ca_->certificate_pem());
    const security::KeyAndCsr made = *security::MakeKeyAndCsr(kSubject);
    const std::string certificate =
        *ca_->SignCsr(made.csr_pem, {.subject = kSubject, .now = clock_.Now(), .for_client = true});
    dir_.Write("node.pem", certificate + made.key_pem);
    auto store = OpenStore();
    EXPECT_THAT(store->Create({.id = "t",
                               .secret_hash = "h",
                               .create_time = clock_.Now(),
                               .expire_time = clock_.Now() + kDay}),
                IsOk());
    EXPECT_THAT(store->Redeem("t", "h", {.name = node_, .key_hash = KeyOnDisk()}, clock_.Now()),
                IsOk());
  }

  std::unique_ptr<cloudhub::SqliteTokenStore> OpenStore() {
    return *cloudhub::SqliteTokenStore::Open(dir_.File("tokens.db"), true);
  }
  security::CertificateInfo OnDisk() {
    auto identity = edgehub::ReadNodeIdentity(dir_.File("node.pem"));
    EXPECT_THAT(identity, IsOk()) << "certificate and key are a pair at any time";
    return identity->certificate;
  }
  std::string KeyOnDisk() { return OnDisk().key_sha256_hex; }

  // Both ends start from their disks, a renewal becomes due, the box dials with what it then has.
  // All of it dies at that step (0: never). True: it came to its end.
  bool Live(int dies_at_step) {
    Death death(dies_at_step);
    auto store = OpenStore();
    MortalRegistry nodes(*store, death);
    metrics::Registry registry("test-svc");
    cloudhub::JoinMetrics join_metrics(registry);
    cloudhub::RenewalHandler handler({}, *ca_, nodes, join_metrics, clock_, log::Logger::Null());
    MortalWay way(handler, death);
    edgehub::EdgeHubMetrics edge_metrics(registry);
    const std::string before = KeyOnDisk();
    const absl::Time due = OnDisk().not_before + (OnDisk().not_after - OnDisk().not_before) * 3 / 4;
    clock_.Advance(std::max(due - clock_.Now(), absl::ZeroDuration()));
    edgehub::CertificateRenewer renewer(
        {.identity_file = dir_.File("node.pem"), .ca_file = dir_.File("ca.crt"), .seed = 1}, way,
        clock_, edge_metrics, log::Logger::Null());
    renewer.Start();
    renewer.Settle();
    renewer.Stop();
    if (dies_at_step == 0) {
      EXPECT_NE(KeyOnDisk(), before);
    }
    if (death.Survives()) {
      EXPECT_THAT(Link(KeyOnDisk()), IsOk());
      death.Survives();
    }
    return !death.happened();
  }
  absl::Status Link(const std::string& key_hash) {
    auto records = *cloudhub::SqliteNodeRecords::Open(dir_.path(), clock_);
    return records->Admit({.node = node_, .key_hash = key_hash}).status();
  }

  const NodeName node_ = *NodeName::Parse("edge-1");
  testing::TempDir dir_;
  testing::FakeClock clock_;
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", clock_.Now());
};

TEST_F(RotationSweepTest, WhateverDiesTheNextLifeRenews) {
  int step = 1;
  while (true) {
    const std::string before = KeyOnDisk();
    if (Live(step)) break;
    // What is on the box's disk still opens the hub's door, and a whole life converges.
    ASSERT_TRUE(Live(0)) << "after a death at step " << step;
    EXPECT_THAT(Link(before), HasReason("NODE_KEY_WRONG")) << "there is one key on record";
    EXPECT_THAT(Link(KeyOnDisk()), IsOk());
    auto store = OpenStore();
    EXPECT_THAT(store->BeginRotation(node_, KeyOnDisk(), KeyOnDisk(), clock_.Now()), IsOk());
    ++step;
    ASSERT_LT(step, 100);
  }
  EXPECT_EQ(step, 7) << "the way to the hub, its commit, the way back, the dial: before and after";
}

TEST_F(RotationSweepTest, DyingAtTheSameStepAgainAndAgainLosesNothing) {
  for (int step = 1; step <= 6; ++step) {
    for (int times = 0; times < 5; ++times) EXPECT_FALSE(Live(step)) << step;
    ASSERT_TRUE(Live(0)) << step;
  }
}

}  // namespace
}  // namespace skerry::e2e
