#include "services/edge-meta-svc/core/sync_machine.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edgemeta {
namespace {

// Drives a machine with terse messages and shows batches as text.
class SyncMachineTest : public ::testing::Test {
 protected:
  SyncMachineTest() { machine_.Subscribe("configmaps", 1); }

  std::string Fold(uint64_t subscription, uint64_t sequence,
                   decltype(ResourceEvent::change) change) {
    Folded folded = Folded::kTaken;
    absl::Status status =
        machine_.Fold({"configmaps", subscription, sequence, std::move(change)}, batch_, folded);
    if (!status.ok()) return GetErrorInfo(status).reason;
    return folded == Folded::kTaken ? "taken" : folded == Folded::kRejected ? "rejected" : "stale";
  }
  static ResourceEvent::Upsert Upsert(const std::string& name, const std::string& version) {
    return {"default/" + name, version,
            absl::StrCat(R"({"metadata":{"namespace":"default","name":")", name, R"("}})")};
  }
  static ResourceEvent::Delete Delete(const std::string& name) { return {"default/" + name}; }

  // "+a=v1 -b synced ack 1:3 (rejected 2)"; the batch is then empty.
  std::string Take() {
    std::string text;
    for (const Mutation& m : batch_.mutations) {
      std::string name = m.key.substr(m.key.find('/') + 1);
      absl::StrAppend(
          &text,
          m.kind == Mutation::Kind::kUpsert ? absl::StrCat("+", name, "=", m.version) : "-" + name,
          " ");
    }
    if (batch_.synced.count("configmaps") > 0) text += "synced ";
    for (const auto& [type, ack] : batch_.acks) {
      absl::StrAppend(&text, "ack ", ack.subscription_id, ":", ack.sequence);
      for (const auto& [sequence, status] : ack.rejections)
        absl::StrAppend(&text, " (rejected ", sequence, ")");
    }
    batch_ = {};
    return text;
  }

  SyncMachine machine_{1 << 20, 3};
  Batch batch_;
};

TEST_F(SyncMachineTest, UpsertsTakeEffectBeforeSynced) {
  EXPECT_EQ(Fold(1, 1, Upsert("a", "v1")), "taken");
  EXPECT_EQ(Take(), "+a=v1 ack 1:1");
  EXPECT_FALSE(machine_.synced("configmaps"));
}

TEST_F(SyncMachineTest, DeletesWaitForSynced) {
  Fold(1, 1, Delete("a"));
  Fold(1, 2, Delete("b"));
  EXPECT_EQ(Take(), "ack 1:2");
  Fold(1, 3, ResourceEvent::Synced{});
  EXPECT_EQ(Take(), "-a -b synced ack 1:3");
  EXPECT_TRUE(machine_.synced("configmaps"));
}

TEST_F(SyncMachineTest, DeletesAfterSyncedTakeEffectAtOnce) {
  Fold(1, 1, ResourceEvent::Synced{});
  Fold(1, 2, Delete("a"));
  EXPECT_EQ(Take(), "-a synced ack 1:2");
}

TEST_F(SyncMachineTest, AnUpsertTakesBackAStagedDelete) {
  Fold(1, 1, Delete("a"));
  Fold(1, 2, Upsert("a", "v2"));
  Fold(1, 3, ResourceEvent::Synced{});
  EXPECT_EQ(Take(), "+a=v2 synced ack 1:3");
}

TEST_F(SyncMachineTest, ANewSubscriptionDiscardsStagedDeletesAndStaysUnsynced) {
  Fold(1, 1, Delete("a"));
  Take();
  machine_.Subscribe("configmaps", 2);
  Fold(2, 1, ResourceEvent::Synced{});
  EXPECT_EQ(Take(), "synced ack 2:1");
  machine_.Subscribe("configmaps", 3);
  EXPECT_FALSE(machine_.synced("configmaps"));
  Fold(3, 1, Delete("b"));
  EXPECT_EQ(Take(), "ack 3:1");
}

TEST_F(SyncMachineTest, MessagesOfAnEndedSubscriptionAreIgnored) {
  Fold(1, 1, Delete("a"));
  machine_.Subscribe("configmaps", 2);
  Take();
  EXPECT_EQ(Fold(1, 2, ResourceEvent::Synced{}), "stale");
  EXPECT_EQ(Fold(1, 9, Delete("b")), "stale");
  EXPECT_EQ(Take(), "");
  machine_.Reset();
  EXPECT_EQ(Fold(2, 1, Upsert("a", "v1")), "stale");
}

TEST_F(SyncMachineTest, AcksSpeakOfTheNewestSubscriptionInABatch) {
  Fold(1, 1, Upsert("a", "v1"));
  machine_.Subscribe("configmaps", 2);
  Fold(2, 1, Upsert("a", "v2"));
  EXPECT_EQ(Take(), "+a=v1 +a=v2 ack 2:1");
}

TEST_F(SyncMachineTest, AMalformedObjectIsRejectedAndTheRestGoesOn) {
  EXPECT_EQ(Fold(1, 1, Upsert("a", "v1")), "taken");
  EXPECT_EQ(Fold(1, 2, ResourceEvent::Upsert{"default/b", "v1", "{"}), "rejected");
  EXPECT_EQ(Fold(1, 3, ResourceEvent::Delete{"a/b/c"}), "rejected");
  EXPECT_EQ(Fold(1, 4, std::monostate{}), "rejected");
  EXPECT_EQ(Fold(1, 5, Upsert("c", "v1")), "taken");
  EXPECT_EQ(Take(), "+a=v1 +c=v1 ack 1:5 (rejected 2) (rejected 3) (rejected 4)");
}

TEST_F(SyncMachineTest, AMalformedUpsertLeavesAStagedDeleteStaged) {
  Fold(1, 1, Delete("a"));
  Fold(1, 2, ResourceEvent::Upsert{"default/a", "v1", "{"});
  Fold(1, 3, ResourceEvent::Synced{});
  EXPECT_EQ(Take(), "-a synced ack 1:3 (rejected 2)");
}

TEST_F(SyncMachineTest, AGapOrARepeatEndsTheStream) {
  EXPECT_EQ(Fold(1, 2, Upsert("a", "v1")), "SEQUENCE_GAP");
  EXPECT_EQ(Fold(1, 1, Upsert("a", "v1")), "taken");
  EXPECT_EQ(Fold(1, 1, Upsert("a", "v1")), "SEQUENCE_GAP");
}

TEST_F(SyncMachineTest, StagedDeletesAreBounded) {
  Fold(1, 1, Delete("a"));
  Fold(1, 2, Delete("b"));
  Fold(1, 3, Delete("c"));
  EXPECT_EQ(Fold(1, 4, Delete("d")), "STAGED_FULL");
}

}  // namespace
}  // namespace skerry::edgemeta
