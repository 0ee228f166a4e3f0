// What the hub's stores must do, as tests: instantiate TokenStoreContract and NodeRecordsContract
// with a harness for each place they may be in.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_STORES_CONTRACT_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_STORES_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "services/cloudhub-svc/join/token_store.h"
#include "services/cloudhub-svc/sessions/node_records.h"
#include "services/lib/base/clock.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::cloudhub {

struct Stores {
  std::unique_ptr<JoinStore> tokens;
  std::unique_ptr<NodeRecords> records;
};

// One place for data; empty at first, and a new hub's.
class StoresHarness {
 public:
  virtual ~StoresHarness() = default;
  // Opened again, they have what was written before.
  virtual Stores Open(Clock& clock) = 0;
};

using StoresHarnessFactory = std::function<std::unique_ptr<StoresHarness>()>;

class StoresContract : public ::testing::TestWithParam<StoresHarnessFactory> {
 protected:
  void SetUp() override {
    harness_ = GetParam()();
    ASSERT_NE(harness_, nullptr);
    Open();
  }
  void TearDown() override { stores_ = {}; }
  // As after a restart.
  void Open() {
    stores_ = {};
    stores_ = harness_->Open(clock_);
  }
  JoinStore& tokens() { return *stores_.tokens; }
  NodeRecords& records() { return *stores_.records; }

  testing::FakeClock clock_;

 private:
  std::unique_ptr<StoresHarness> harness_;
  Stores stores_;
};

class TokenStoreContract : public StoresContract {};

// With tokens "any", and "for-n1" for the node alone.
class NodeRecordsContract : public StoresContract {
 protected:
  void SetUp() override;
  static NodeName Node() { return *NodeName::Parse("n1"); }
  absl::Status Link(const std::string& key) { return records().Admit({Node(), key}).status(); }
  absl::Status Join(const std::string& token, const std::string& key) {
    return tokens().Redeem(token, "hash", {Node(), key}, clock_.Now()).status();
  }
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_JOIN_STORES_CONTRACT_H_
