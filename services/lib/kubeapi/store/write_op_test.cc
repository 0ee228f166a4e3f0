#include "services/lib/kubeapi/store/write_op.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

const ObjectKey kKey{.resource = "pods", .object_namespace = "n", .name = "p"};
const StoredObject kStored{.key = kKey, .json = "old", .revision = 5};

WriteOp Op(WriteOp::Kind kind, StoreRevision expected = 0, const char* json = "new") {
  return {.kind = kind, .key = kKey, .json = json, .expected = expected};
}

TEST(PlanWriteTest, Creates) {
  const auto change = PlanWrite(Op(WriteOp::Kind::kCreate), std::nullopt, 9);
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->kind, ChangeKind::kAdded);
  EXPECT_EQ(change->revision, 9);
  EXPECT_EQ(change->object, "new");
  EXPECT_EQ(change->previous, "");
  EXPECT_EQ(change->previous_revision, 0);
  EXPECT_TRUE(absl::IsAlreadyExists(PlanWrite(Op(WriteOp::Kind::kCreate), kStored, 9).status()));
}

TEST(PlanWriteTest, Updates) {
  for (const StoreRevision expected : {0, 5}) {
    const auto change = PlanWrite(Op(WriteOp::Kind::kUpdate, expected), kStored, 9);
    ASSERT_TRUE(change.ok());
    EXPECT_EQ(change->kind, ChangeKind::kModified);
    EXPECT_EQ(change->object, "new");
    EXPECT_EQ(change->previous, "old");
    EXPECT_EQ(change->previous_revision, 5);
  }
  const absl::Status conflict = PlanWrite(Op(WriteOp::Kind::kUpdate, 4), kStored, 9).status();
  EXPECT_TRUE(absl::IsAborted(conflict));
  EXPECT_EQ(GetErrorInfo(conflict).metadata.at("stored"), "5");
  EXPECT_TRUE(absl::IsNotFound(PlanWrite(Op(WriteOp::Kind::kUpdate), std::nullopt, 9).status()));
}

TEST(PlanWriteTest, DeletesWithTheLastWordsOrTheLastState) {
  const auto words = PlanWrite(Op(WriteOp::Kind::kDelete, 5, "last"), kStored, 9);
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(words->kind, ChangeKind::kDeleted);
  EXPECT_EQ(words->object, "last");
  EXPECT_EQ(words->previous, "old");
  EXPECT_EQ(PlanWrite(Op(WriteOp::Kind::kDelete, 0, ""), kStored, 9)->object, "old");
  EXPECT_TRUE(absl::IsAborted(PlanWrite(Op(WriteOp::Kind::kDelete, 6), kStored, 9).status()));
  EXPECT_TRUE(absl::IsNotFound(PlanWrite(Op(WriteOp::Kind::kDelete), std::nullopt, 9).status()));
}

TEST(CheckRevisionTest, TakesWhatTheLogHolds) {
  EXPECT_TRUE(CheckRevision(3, 3, 7).ok());
  EXPECT_TRUE(CheckRevision(7, 3, 7).ok());
  EXPECT_TRUE(absl::IsOutOfRange(CheckRevision(2, 3, 7)));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckRevision(8, 3, 7)));
}

}  // namespace
}  // namespace skerry::kubeapi
