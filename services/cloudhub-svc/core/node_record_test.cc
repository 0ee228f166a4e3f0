#include "services/cloudhub-svc/core/node_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIsWith;

LinkingBox Box(const std::string& key_hash) {
  return {.node = *NodeName::Parse("edge-1"), .key_hash = key_hash};
}

// ---- Keys.

// cloudhub-1.6
TEST(NodeKeyTest, AnUnknownNameBecomesTheFirstKeys) {
  absl::StatusOr<NameRecord> record = Admit(std::nullopt, Box("k1"));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(*record, (NameRecord{.key_hash = "k1"}));
  EXPECT_EQ(*Admit(*record, Box("k1")), *record);
}

// cloudhub-1.6
TEST(NodeKeyTest, AnotherKeyIsRefused) {
  absl::Status refused = Admit(NameRecord{.key_hash = "k1"}, Box("k2")).status();
  EXPECT_THAT(refused, StatusIsWith(absl::StatusCode::kPermissionDenied,
                                    HasSubstr("token create --node edge-1")));
  EXPECT_THAT(refused, HasReason("NODE_KEY_WRONG"));
}

// cloudhub-1.7: a join whose answer was lost takes no link away; one that arrived ends the old key.
TEST(NodeKeyTest, AReplacedKeyIsGoodUntilTheNewOneLinks) {
  const NameRecord replaced = {.key_hash = "k2", .former_key_hash = "k1"};
  EXPECT_EQ(*Admit(replaced, Box("k1")), replaced);
  EXPECT_THAT(Admit(replaced, Box("k3")).status(), HasReason("NODE_KEY_WRONG"));
  absl::StatusOr<NameRecord> record = Admit(replaced, Box("k2"));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(*record, (NameRecord{.key_hash = "k2"}));
  EXPECT_THAT(Admit(*record, Box("k1")).status(), HasReason("NODE_KEY_WRONG"));
}

// join-1.10: only the node knows which answer reached its disk.
TEST(NodeKeyTest, AllIssuedKeysAreGoodUntilOneLinks) {
  const NameRecord rotating = {.key_hash = "k1",
                               .next_key_hashes = {"k2", "k3"},
                               .boot_id = "b2",
                               .former_boot_id = "b1",
                               .epoch_min = 7};
  EXPECT_EQ(*Admit(rotating, Box("k1")), rotating);
  EXPECT_EQ(
      *Admit(rotating, Box("k3")),
      (NameRecord{.key_hash = "k3", .boot_id = "b2", .former_boot_id = "b1", .epoch_min = 7}));
  EXPECT_THAT(Admit(rotating, Box("k4")).status(), HasReason("NODE_KEY_WRONG"));
  LinkingBox copy = Box("k2");
  copy.stored_epoch = 6;
  EXPECT_THAT(Admit(rotating, copy).status(), HasReason("NODE_CLONED")) << "and uses up no key";
}

// The key of a join was replaced before it linked: the sessions on record are the former box's.
TEST(NodeKeyTest, AnIssuedKeyEndsTheOneThatAJoinReplaced) {
  const NameRecord joined = {.key_hash = "k2",
                             .former_key_hash = "k1",
                             .next_key_hashes = {"k3"},
                             .boot_id = "b2",
                             .epoch_min = 7};
  EXPECT_EQ(*Admit(joined, Box("k2")), (NameRecord{.key_hash = "k2", .next_key_hashes = {"k3"}}));
  EXPECT_EQ(*Admit(joined, Box("k3")), (NameRecord{.key_hash = "k3"}));
}

// ---- Copies: docs/adr/0013-clones.md, docs/spec/link.md link-2.5 and link-2.6.

// Boxes of one node, and what the hub remembers of it.
class CloneTest : public ::testing::Test {
 protected:
  struct Disk {
    uint64_t epoch = 0;
    uint64_t epoch_at_boot = 0;  // What nothing that a disk lies about can take away.
    std::string key = "k1";
  };
  struct Machine {
    Disk disk;
    std::string boot_id;
    uint64_t session = 0;
  };

  void Boot(Machine& machine) {
    machine.boot_id = absl::StrCat("boot-", ++boots_);
    machine.disk.epoch_at_boot = machine.disk.epoch;
  }
  // Another machine with this one's disk.
  Machine CopyOf(const Machine& machine) {
    Machine copy{.disk = machine.disk};
    Boot(copy);
    return copy;
  }
  static LinkingBox Hello(const Machine& machine) {
    return {.node = *NodeName::Parse("edge-1"),
            .key_hash = machine.disk.key,
            .boot_id = machine.boot_id,
            .stored_epoch = machine.disk.epoch};
  }
  absl::Status Dial(Machine& machine) {
    absl::StatusOr<NameRecord> record = Admit(record_, Hello(machine));
    if (!record.ok()) return record.status();
    record_ = *std::move(record);
    machine.session = ++last_epoch_;
    return absl::OkStatus();
  }
  // Whether that proved a copy.
  bool Store(Machine& machine) {
    const LinkingBox hello = Hello(machine);
    machine.disk.epoch = machine.session;
    const bool returned = HasReturned(*record_, hello);
    record_ = EpochStored(*record_, hello, machine.session);
    return returned;
  }
  absl::Status Link(Machine& machine) {
    absl::Status status = Dial(machine);
    if (status.ok()) Store(machine);
    return status;
  }

  std::optional<NameRecord> record_;
  uint64_t last_epoch_ = 1000;
  int boots_ = 0;
};

TEST_F(CloneTest, ADiskFromBeforeARestartIsRefusedAtOnce) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine backup = CopyOf(box);
  ASSERT_THAT(Link(box), IsOk());
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  absl::Status refused = Dial(backup);
  EXPECT_THAT(refused, HasReason("NODE_CLONED"));
  EXPECT_THAT(refused, StatusIsWith(absl::StatusCode::kFailedPrecondition,
                                    HasSubstr("skerryctl join --force")));
  EXPECT_THAT(Link(box), IsOk());
}

TEST_F(CloneTest, OfTwoEqualDisksTheProcessThatWasThereFirstIsKept) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine copy = CopyOf(box);
  EXPECT_THAT(Link(copy), IsOk()) << "so far it may be a restart";
  EXPECT_THAT(Link(copy), IsOk());
  ASSERT_THAT(Dial(box), IsOk());
  EXPECT_TRUE(Store(box));
  EXPECT_THAT(Dial(copy), HasReason("NODE_CLONED"));
  Boot(copy);
  EXPECT_THAT(Dial(copy), HasReason("NODE_CLONED"));
  ASSERT_THAT(Dial(box), IsOk());
  EXPECT_FALSE(Store(box)) << "it is said once";
  Boot(box);
  EXPECT_THAT(Link(box), IsOk());
  EXPECT_THAT(Dial(copy), HasReason("NODE_CLONED"));
}

TEST_F(CloneTest, ACopyThatDialsBeforeTheBoxHasStoredItsEpochOnlyDelaysTheEnd) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine copy = CopyOf(box);
  ASSERT_THAT(Link(copy), IsOk());
  ASSERT_THAT(Dial(box), IsOk());
  ASSERT_THAT(Link(copy), IsOk());
  ASSERT_THAT(Link(box), IsOk());
  EXPECT_THAT(Dial(copy), HasReason("NODE_CLONED"));
}

TEST_F(CloneTest, ACopyWithoutAnEpochIsToldApartByTheProcesses) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine copy;
  Boot(copy);
  EXPECT_THAT(Link(copy), IsOk());
  EXPECT_THAT(Link(box), IsOk());
  EXPECT_THAT(Dial(copy), HasReason("NODE_CLONED"));
}

TEST_F(CloneTest, ANewKeyMakesTheRefusedDiskTheNode) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine restored = CopyOf(box);
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  ASSERT_THAT(Dial(restored), HasReason("NODE_CLONED"));
  restored.disk.key = "k2";
  record_->former_key_hash = std::exchange(record_->key_hash, "k2");  // As a join does.
  EXPECT_THAT(Link(box), IsOk()) << "the join's answer may have been lost";
  EXPECT_THAT(Link(restored), IsOk());
  EXPECT_THAT(Dial(box), HasReason("NODE_KEY_WRONG"));
  Boot(restored);
  EXPECT_THAT(Link(restored), IsOk());
}

TEST_F(CloneTest, AHubWhoseEpochsGoBackRefusesNobody) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  last_epoch_ = 5;
  for (int i = 0; i < 4; ++i) {
    Boot(box);
    EXPECT_THAT(Link(box), IsOk());
  }
}

// What a process that has died said may arrive when the next one has linked.
TEST_F(CloneTest, ALateHelloChangesNothing) {
  Machine box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  Machine dead = box;
  Boot(box);
  ASSERT_THAT(Link(box), IsOk());
  const std::optional<NameRecord> before = record_;
  EXPECT_THAT(Dial(dead), IsOk());
  EXPECT_EQ(record_, before);
  EXPECT_THAT(Link(box), IsOk());
  Boot(box);
  EXPECT_THAT(Link(box), IsOk());
}

// A box that has no copy is never refused and never called one, whatever fails.
TEST_F(CloneTest, ABoxWithoutACopyAlwaysGetsItsSession) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 rng(seed);
    const auto one_in = [&](uint64_t n) { return rng() % n == 0; };
    record_.reset();
    Machine box;
    Boot(box);
    for (int step = 0; step < 100; ++step) {
      if (one_in(3)) Boot(box);
      if (one_in(8)) {  // Power is cut, and the disk did not write what it said it had.
        box.disk.epoch = box.disk.epoch_at_boot;
        Boot(box);
      }
      if (one_in(20)) {  // edgehub.db is lost.
        box.disk.epoch = 0;
        Boot(box);
      }
      if (one_in(20)) record_.reset();  // The hub's is.
      if (one_in(30)) last_epoch_ -= rng() % 100;
      ASSERT_THAT(Dial(box), IsOk()) << "seed " << seed << " step " << step;
      if (one_in(4)) continue;  // Welcome is lost, or the disk full.
      EXPECT_FALSE(Store(box)) << "seed " << seed << " step " << step;
    }
    last_epoch_ += 10000;
  }
}

}  // namespace
}  // namespace skerry::cloudhub
