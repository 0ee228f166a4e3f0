#include "services/cloudhub-svc/core/node_record.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::StatusIs;

LinkingBox Box(const std::string& key_hash) {
  return {.node = *NodeName::Parse("edge-1"), .key_hash = key_hash};
}

// cloudhub-1.6
TEST(NodeRecordTest, AnUnknownNameBecomesTheFirstKeys) {
  absl::StatusOr<NameRecord> record = Admit(std::nullopt, Box("k1"));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(*record, (NameRecord{.key_hash = "k1"}));
  EXPECT_EQ(*Admit(*record, Box("k1")), *record);
}

// cloudhub-1.6
TEST(NodeRecordTest, AnotherKeyIsRefused) {
  absl::Status refused = Admit(NameRecord{.key_hash = "k1"}, Box("k2")).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(refused, HasReason("NODE_KEY_WRONG"));
  EXPECT_NE(refused.message().find("token create --node edge-1"), absl::string_view::npos);
}

// cloudhub-1.7: a join whose answer was lost takes no link away; one that arrived ends the old key.
TEST(NodeRecordTest, AReplacedKeyIsGoodUntilTheNewOneLinks) {
  const NameRecord replaced = {.key_hash = "k2", .former_key_hash = "k1"};
  EXPECT_EQ(*Admit(replaced, Box("k1")), replaced);
  EXPECT_THAT(Admit(replaced, Box("k3")).status(), HasReason("NODE_KEY_WRONG"));
  absl::StatusOr<NameRecord> record = Admit(replaced, Box("k2"));
  ASSERT_THAT(record, IsOk());
  EXPECT_EQ(*record, (NameRecord{.key_hash = "k2"}));
  EXPECT_THAT(Admit(*record, Box("k1")).status(), HasReason("NODE_KEY_WRONG"));
}

}  // namespace
}  // namespace skerry::cloudhub
