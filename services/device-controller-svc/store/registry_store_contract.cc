#include "services/device-controller-svc/store/registry_store_contract.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

DeviceName Name(const std::string& text) { return *DeviceName::Parse(text); }

RegisteredDevice Object(const std::string& name, const std::string& uid = "u1",
                        const std::string& node = "edge-1", const std::string& model = "sensor") {
  return {.device = Name(name), .uid = uid, .node = node, .model = model, .protocol = "modbus"};
}

std::string Names(const absl::StatusOr<std::vector<DeviceRecord>>& records) {
  if (!records.ok()) return records.status().ToString();
  std::string names;
  for (const DeviceRecord& record : *records) names += record.object.device.value() + " ";
  return names;
}

TEST_P(RegistryStoreContract, KeepsDevicesOverARestart) {
  const absl::StatusOr<DeviceRecord> put = store_->Put(Object("shop/pump"));
  ASSERT_THAT(put, IsOk());
  EXPECT_EQ(put->object, Object("shop/pump"));
  EXPECT_TRUE(put->enabled);
  EXPECT_GT(put->generation, 0);
  EXPECT_EQ(put->incarnation, put->generation);
  EXPECT_EQ(put->create_time, put->update_time);
  ASSERT_THAT(store_->SetEnabled(Name("shop/pump"), false, "stolen \xc3\xa9", {}), IsOk());
  const std::optional<DeviceRecord> before = *store_->Get(Name("shop/pump"));
  Restart();
  const std::optional<DeviceRecord> after = *store_->Get(Name("shop/pump"));
  ASSERT_TRUE(after.has_value());
  EXPECT_TRUE(after == before);
  EXPECT_EQ(after->disable_reason, "stolen \xc3\xa9");
  EXPECT_EQ(*store_->Get(Name("shop/other")), std::nullopt);
}

TEST_P(RegistryStoreContract, TheSameObjectAgainChangesNothing) {
  const DeviceRecord first = *store_->Put(Object("shop/pump"));
  EXPECT_TRUE(*store_->Put(Object("shop/pump")) == first);
  EXPECT_TRUE(**store_->Get(Name("shop/pump")) == first);
}

TEST_P(RegistryStoreContract, AnObjectMayMoveAndChangeItsModel) {
  const DeviceRecord first = *store_->Put(Object("shop/pump"));
  const DeviceRecord moved = *store_->Put(Object("shop/pump", "u1", "edge-2", "valve"));
  EXPECT_EQ(moved.object.node, "edge-2");
  EXPECT_EQ(moved.object.model, "valve");
  EXPECT_GT(moved.generation, first.generation);
  EXPECT_NE(moved.etag(), first.etag());
  EXPECT_EQ(moved.incarnation, first.incarnation);
  EXPECT_EQ(moved.create_time, first.create_time);
  EXPECT_GE(moved.update_time, first.update_time);
  EXPECT_EQ(Names(store_->List({.node = "edge-1"}, {}, 10)), "");
  EXPECT_EQ(Names(store_->List({.node = "edge-2"}, {}, 10)), "shop/pump ");
}

TEST_P(RegistryStoreContract, WhatAnOperatorSetSurvivesTheObjectsChanges) {
  ASSERT_THAT(store_->Put(Object("shop/pump")), IsOk());
  ASSERT_THAT(store_->SetEnabled(Name("shop/pump"), false, "leaks", {}), IsOk());
  const DeviceRecord moved = *store_->Put(Object("shop/pump", "u1", "edge-2"));
  EXPECT_FALSE(moved.enabled);
  EXPECT_EQ(moved.disable_reason, "leaks");
  const DeviceRecord anew = *store_->Put(Object("shop/pump", "u2", "edge-2"));
  EXPECT_FALSE(anew.enabled) << "no manifest enables a device";
  EXPECT_EQ(anew.incarnation, anew.generation);
  EXPECT_GT(anew.incarnation, moved.incarnation);
}

TEST_P(RegistryStoreContract, DisablesWithAReasonAndEnables) {
  const DeviceRecord put = *store_->Put(Object("shop/pump"));
  const DeviceRecord off = *store_->SetEnabled(Name("shop/pump"), false, "leaks", put.etag());
  EXPECT_FALSE(off.enabled);
  EXPECT_GT(off.generation, put.generation);
  EXPECT_TRUE(*store_->SetEnabled(Name("shop/pump"), false, "leaks", {}) == off) << "no change";
  const DeviceRecord why = *store_->SetEnabled(Name("shop/pump"), false, "stolen", {});
  EXPECT_GT(why.generation, off.generation);
  const DeviceRecord on = *store_->SetEnabled(Name("shop/pump"), true, "found again", {});
  EXPECT_TRUE(on.enabled);
  EXPECT_EQ(on.disable_reason, "");
  EXPECT_GT(on.generation, why.generation);
}

TEST_P(RegistryStoreContract, ALostRaceIsToldWithThePresentEtag) {
  const DeviceRecord put = *store_->Put(Object("shop/pump"));
  const DeviceRecord off = *store_->SetEnabled(Name("shop/pump"), false, "leaks", put.etag());
  const absl::StatusOr<DeviceRecord> late =
      store_->SetEnabled(Name("shop/pump"), true, "", put.etag());
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(late, HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(GetErrorInfo(late.status()).metadata["etag"], off.etag());
  EXPECT_TRUE(**store_->Get(Name("shop/pump")) == off);
  EXPECT_THAT(store_->SetEnabled(Name("shop/none"), true, "", put.etag()),
              HasReason("DEVICE_UNKNOWN"));
}

TEST_P(RegistryStoreContract, TheGenerationGoesOnOverDeletionAndRestart) {
  ASSERT_THAT(store_->Put(Object("shop/pump")), IsOk());
  const DeviceRecord off = *store_->SetEnabled(Name("shop/pump"), false, "leaks", {});
  EXPECT_THAT(store_->Delete(Name("shop/pump"), "u0"), IsOkAndHolds(false)) << "another one's uid";
  EXPECT_THAT(store_->Delete(Name("shop/pump"), "u1"), IsOkAndHolds(true));
  EXPECT_THAT(store_->Delete(Name("shop/pump"), ""), IsOkAndHolds(false));
  EXPECT_EQ(*store_->Get(Name("shop/pump")), std::nullopt);
  Restart();
  const DeviceRecord back = *store_->Put(Object("shop/pump"));
  EXPECT_GT(back.generation, off.generation);
  EXPECT_EQ(back.incarnation, back.generation);
  EXPECT_TRUE(back.enabled);
  EXPECT_THAT(store_->Delete(Name("shop/pump"), ""), IsOkAndHolds(true));
}

TEST_P(RegistryStoreContract, ListsInPagesByName) {
  // Bytewise: '-' and '.' precede the '/' behind a namespace.
  for (const char* name : {"b/x", "a-b/x", "a/z", "a/y.1", "a/y", "a0/x"})
    ASSERT_THAT(store_->Put(Object(name)), IsOk());
  EXPECT_EQ(Names(store_->List({}, {}, 10)), "a-b/x a/y a/y.1 a/z a0/x b/x ");
  EXPECT_EQ(Names(store_->List({}, {}, 2)), "a-b/x a/y ");
  EXPECT_EQ(Names(store_->List({}, Name("a/y"), 2)), "a/y.1 a/z ");
  EXPECT_EQ(Names(store_->List({}, Name("a/zz"), 2)), "a0/x b/x ")
      << "behind one that is not there";
  EXPECT_EQ(Names(store_->List({}, Name("b/x"), 2)), "");
  EXPECT_EQ(Names(store_->List({.device_namespace = "a"}, {}, 10)), "a/y a/y.1 a/z ");
  EXPECT_EQ(Names(store_->List({.device_namespace = "a"}, Name("a/y.1"), 10)), "a/z ");
  EXPECT_EQ(Names(store_->List({.device_namespace = "a"}, Name("a-b/x"), 1)), "a/y ");
  EXPECT_EQ(Names(store_->List({.device_namespace = "a"}, Name("b/x"), 10)), "");
}

TEST_P(RegistryStoreContract, FiltersTogether) {
  ASSERT_THAT(store_->Put(Object("a/1", "u", "edge-1", "sensor")), IsOk());
  ASSERT_THAT(store_->Put(Object("a/2", "u", "edge-1", "valve")), IsOk());
  ASSERT_THAT(store_->Put(Object("b/3", "u", "edge-1", "sensor")), IsOk());
  ASSERT_THAT(store_->Put(Object("b/4", "u", "edge-2", "sensor")), IsOk());
  ASSERT_THAT(store_->Put(Object("b/5", "u", "", "sensor")), IsOk());
  ASSERT_THAT(store_->SetEnabled(Name("b/3"), false, "leaks", {}), IsOk());
  EXPECT_EQ(Names(store_->List({.node = "edge-1"}, {}, 10)), "a/1 a/2 b/3 ");
  EXPECT_EQ(Names(store_->List({.model = "sensor"}, {}, 10)), "a/1 b/3 b/4 b/5 ");
  EXPECT_EQ(Names(store_->List({.enabled = false}, {}, 10)), "b/3 ");
  EXPECT_EQ(Names(store_->List({.enabled = true}, Name("a/1"), 10)), "a/2 b/4 b/5 ");
  EXPECT_EQ(Names(store_->List({.node = "edge-1", .model = "sensor"}, {}, 10)), "a/1 b/3 ");
  EXPECT_EQ(
      Names(store_->List(
          {.device_namespace = "b", .node = "edge-1", .model = "sensor", .enabled = false}, {}, 1)),
      "b/3 ");
}

TEST_P(RegistryStoreContract, RefusesWhatIsOutOfBounds) {
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(store_->Put(Object("a/1", "")), invalid);
  EXPECT_THAT(store_->Put(Object("a/1", std::string(254, 'u'))), invalid);
  EXPECT_THAT(store_->Put(Object("a/1", "u", std::string(254, 'n'))), invalid);
  EXPECT_THAT(store_->Put(Object("a/1", "u", "n", std::string("m\0", 2))), invalid);
  EXPECT_THAT(store_->Put(Object("a/1", "u", "n", "\xed\xa0\x80")), invalid) << "a surrogate";
  ASSERT_THAT(store_->Put(Object("a/1")), IsOk());
  EXPECT_THAT(store_->SetEnabled(Name("a/1"), false, "", {}), invalid);
  EXPECT_THAT(store_->SetEnabled(Name("a/1"), false, std::string(1025, 'r'), {}), invalid);
  EXPECT_THAT(store_->List({}, {}, 0), invalid);
  EXPECT_THAT(store_->List({}, {}, RegistryStore::kListMax + 1), invalid);
  EXPECT_THAT(store_->List({.node = "\xff"}, {}, 1), invalid);
  EXPECT_THAT(store_->Delete(Name("a/1"), "\xff"), invalid);
}

}  // namespace
}  // namespace skerry::devicecontroller
