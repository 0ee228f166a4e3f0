#include "services/device-controller-svc/store/twin_history_store_contract.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

namespace {

constexpr absl::Duration kTick = absl::Microseconds(1);

ReportedValue Reported(const std::string& property, const std::string& value, uint64_t epoch,
                       uint64_t sequence) {
  return {.property = property,
          .value = value,
          .metadata = {{"unit", "bar"}},
          .writer = "mapper",
          .time = absl::FromUnixMicros(1234567),
          .order = {epoch, sequence}};
}

std::string Applied(const absl::StatusOr<AppliedValues>& applied) {
  if (!applied.ok()) return applied.status().ToString();
  return applied->former ? "former" : absl::StrJoin(applied->properties, " ");
}

}  // namespace

std::string TwinHistoryStoreContract::Report(const TwinKey& twin, const std::string& property,
                                             const std::string& value, uint64_t epoch,
                                             uint64_t sequence) {
  return Applied(store_->ApplyReported(twin, {Reported(property, value, epoch, sequence)}));
}

std::string TwinHistoryStoreContract::Desire(const std::string& property,
                                             const std::optional<std::string>& value,
                                             int64_t generation) {
  return Applied(store_->ApplyDesired(pump_, {{.property = property,
                                               .value = value,
                                               .writer = "cloud",
                                               .time = absl::FromUnixMicros(7),
                                               .generation = generation}}));
}

std::string TwinHistoryStoreContract::Text(const absl::StatusOr<std::vector<TwinEntry>>& entries) {
  if (!entries.ok()) return entries.status().ToString();
  std::string text;
  for (const TwinEntry& entry : *entries) {
    absl::StrAppend(&text, entry.property, entry.side == TwinSide::kDesired ? ":=" : "=",
                    entry.value.value_or("(none)"), " ");
  }
  return text;
}

absl::Time TwinHistoryStoreContract::Arrival(const std::string& property) {
  const std::vector<TwinEntry> entries = *store_->Current(pump_.device);
  for (const TwinEntry& entry : entries) {
    if (entry.property == property) return entry.arrive_time;
  }
  ADD_FAILURE() << "no " << property;
  return absl::InfinitePast();
}

void TwinHistoryStoreContract::DropBefore(absl::Time time) {
  absl::StatusOr<int64_t> dropped;
  do {
    dropped = store_->DropHistoryBefore(time);
    ASSERT_THAT(dropped, IsOk());
  } while (*dropped > 0);
}

TEST_P(TwinHistoryStoreContract, KeepsValuesAsTheyWereOverARestart) {
  ReportedValue value = Reported("speed \"\\{},", std::string("a\0\xff", 3), 5, 9);
  value.metadata = {{"a \"b\"", "c\\\xc3\xa9"}, {"empty", ""}};
  value.writer = "map\"per,{}\\";
  ASSERT_THAT(store_->ApplyReported(pump_, {value}), IsOk());
  Restart();
  const std::vector<TwinEntry> entries = *store_->Current(pump_.device);
  ASSERT_EQ(entries.size(), 1u);
  const TwinEntry& entry = entries[0];
  EXPECT_EQ(entry.property, value.property);
  EXPECT_EQ(entry.side, TwinSide::kReported);
  EXPECT_EQ(entry.uid, "u1");
  EXPECT_EQ(entry.value, value.value);
  EXPECT_EQ(entry.metadata, value.metadata);
  EXPECT_EQ(entry.writer, value.writer);
  EXPECT_EQ(entry.time, value.time);
  EXPECT_TRUE(entry.order == value.order);
  EXPECT_EQ(entry.replace_time, std::nullopt);
  EXPECT_EQ(Text(store_->Current(*DeviceName::Parse("shop/other"))), "");
}

// D1.
TEST_P(TwinHistoryStoreContract, AReportThatComesAgainOrLateChangesNothing) {
  EXPECT_EQ(Report("speed", "1", 5, 1), "speed");
  EXPECT_EQ(Report("speed", "2", 5, 2), "speed");
  EXPECT_EQ(Report("speed", "2 again", 5, 2), "");
  EXPECT_EQ(Report("speed", "1 again", 5, 1), "");
  Restart();
  EXPECT_EQ(Report("speed", "1 again", 5, 1), "");
  EXPECT_EQ(Report("speed", "3", 6, 1), "speed") << "a later session counts from the beginning";
  EXPECT_EQ(Report("speed", "of a former leader", 5, 100), "");
  EXPECT_EQ(Current(), "speed=3 ");
  EXPECT_EQ(History({.property = "speed"}), "speed=1 speed=2 speed=3 ");
}

TEST_P(TwinHistoryStoreContract, OfAReportOnlyTheNewerValuesAreApplied) {
  ASSERT_EQ(Report("b", "old", 5, 4), "b");
  EXPECT_EQ(
      Applied(store_->ApplyReported(
          pump_, {Reported("c", "1", 5, 3), Reported("b", "1", 5, 3), Reported("a", "1", 5, 3)})),
      "c a");
  EXPECT_EQ(Current(), "a=1 b=old c=1 ");
  EXPECT_EQ(Arrival("a"), Arrival("c")) << "of one report";
}

TEST_P(TwinHistoryStoreContract, DesiredValuesAreOrderedByGeneration) {
  EXPECT_EQ(Desire("speed", "1", 3), "speed");
  EXPECT_EQ(Desire("speed", "0", 2), "");
  EXPECT_EQ(Desire("speed", "0", 3), "");
  EXPECT_EQ(Report("speed", "7", 1, 1), "speed") << "the sides have orders of their own";
  EXPECT_EQ(Current(), "speed:=1 speed=7 ");
  EXPECT_EQ(Desire("speed", std::nullopt, 4), "speed");
  EXPECT_EQ(Desire("speed", "1", 3), "") << "nor does it come back";
  EXPECT_EQ(Current(), "speed:=(none) speed=7 ");
  EXPECT_EQ(Desire("speed", "2", 5), "speed");
  EXPECT_EQ(History({.property = "speed", .side = TwinSide::kDesired}),
            "speed:=1 speed:=(none) speed:=2 ");
}

TEST_P(TwinHistoryStoreContract, AnotherUidBeginsAnew) {
  ASSERT_EQ(Report("speed", "1", 5, 5), "speed");
  ASSERT_EQ(Report("heat", "1", 5, 5), "heat");
  ASSERT_EQ(Desire("speed", "9", 8), "speed");
  const absl::Time before = Arrival("heat");
  EXPECT_EQ(Report(anew_, "speed", "2", 1, 1), "speed") << "orders are of a uid";
  EXPECT_EQ(Current(), "speed=2 ");
  EXPECT_EQ((*store_->Current(pump_.device))[0].uid, "u2");
  EXPECT_EQ(Report("speed", "3", 9, 9), "former");
  EXPECT_EQ(Desire("speed", "3", 9), "former");
  EXPECT_EQ(Current(), "speed=2 ");
  Restart();
  EXPECT_EQ(Report("speed", "3", 9, 9), "former");
  EXPECT_EQ(History({.property = "speed"}), "speed=1 speed=2 ");
  EXPECT_EQ(StateAt(Arrival("speed") - kTick), "heat=1 speed:=9 speed=1 ");
  EXPECT_EQ(StateAt(before), "heat=1 speed=1 ");
  EXPECT_EQ(StateAt(Arrival("speed")), "speed=2 ");
}

TEST_P(TwinHistoryStoreContract, AnIncarnationHasOneUid) {
  ASSERT_EQ(Report("speed", "1", 5, 5), "speed");
  const TwinKey other{pump_.device, "u9", pump_.incarnation};
  EXPECT_THAT(store_->ApplyReported(other, {Reported("speed", "2", 6, 1)}),
              HasReason("UID_MISMATCH"));
  EXPECT_THAT(store_->End(other), HasReason("UID_MISMATCH"));
  EXPECT_EQ(Current(), "speed=1 ");
}

TEST_P(TwinHistoryStoreContract, WhatIsGoneTakesNothingAndLeavesItsHistory) {
  ASSERT_EQ(Report("speed", "1", 5, 5), "speed");
  const absl::Time arrival = Arrival("speed");
  EXPECT_THAT(store_->End(pump_), IsOkAndHolds(true));
  EXPECT_THAT(store_->End(pump_), IsOkAndHolds(false));
  EXPECT_EQ(Current(), "");
  EXPECT_EQ(Report("speed", "2", 6, 1), "former");
  Restart();
  EXPECT_EQ(Report("speed", "2", 6, 1), "former");
  EXPECT_EQ(History({.property = "speed"}), "speed=1 ");
  EXPECT_EQ(StateAt(arrival), "speed=1 ");
  EXPECT_EQ(StateAt(absl::InfiniteFuture()), "");
  const TwinKey never{*DeviceName::Parse("shop/valve"), "u3", 11};
  EXPECT_THAT(store_->End(never), IsOkAndHolds(true));
  EXPECT_EQ(Report(never, "speed", "late", 1, 1), "former");
  EXPECT_EQ(Report(anew_, "speed", "3", 1, 1), "speed");
  DropBefore(absl::InfiniteFuture());
  EXPECT_EQ(History({.property = "speed"}), "speed=3 ");
  EXPECT_THAT(store_->End(pump_), IsOkAndHolds(false));
}

TEST_P(TwinHistoryStoreContract, StateAtIsByTimesOfArrival) {
  EXPECT_EQ(StateAt(absl::InfiniteFuture()), "");
  ASSERT_EQ(Report("a", "1", 1, 1), "a");
  const absl::Time first = Arrival("a");
  ASSERT_EQ(Report("b", "1", 1, 2), "b");
  const absl::Time second = Arrival("b");
  ASSERT_EQ(Report("a", "2", 1, 3), "a");
  const absl::Time third = Arrival("a");
  ASSERT_LT(first, second);
  ASSERT_LT(second, third);
  EXPECT_EQ(StateAt(first - kTick), "");
  EXPECT_EQ(StateAt(first), "a=1 ");
  EXPECT_EQ(StateAt(second), "a=1 b=1 ");
  EXPECT_EQ(StateAt(third - kTick), "a=1 b=1 ");
  EXPECT_EQ(StateAt(third), "a=2 b=1 ");
  EXPECT_EQ(StateAt(absl::InfiniteFuture()), Current());
  EXPECT_EQ(StateAt(absl::InfinitePast()), "");
}

TEST_P(TwinHistoryStoreContract, HistoryComesInPages) {
  for (uint64_t i = 1; i <= 5; ++i) {
    ASSERT_EQ(Report("speed", absl::StrCat(i), 1, i), "speed");
    ASSERT_EQ(Report("spee", "other", 1, i), "spee");
  }
  HistoryQuery query{.property = "speed", .count_max = 2};
  std::vector<TwinEntry> page = *store_->History(pump_.device, query);
  EXPECT_EQ(Text(page), "speed=1 speed=2 ");
  EXPECT_EQ(page[0].replace_time, page[1].arrive_time);
  query.from = page.back().arrive_time + kTick;
  page = *store_->History(pump_.device, query);
  EXPECT_EQ(Text(page), "speed=3 speed=4 ");
  query.to = page.back().arrive_time;
  query.from = absl::InfinitePast();
  query.newest_first = true;
  page = *store_->History(pump_.device, query);
  EXPECT_EQ(Text(page), "speed=3 speed=2 ") << "without the end of the time";
  query.to = page.back().arrive_time;
  EXPECT_EQ(History(query), "speed=1 ");
  query.to = (*store_->History(pump_.device, query))[0].arrive_time;
  EXPECT_EQ(History(query), "");
}

TEST_P(TwinHistoryStoreContract, RetentionKeepsWhatTheStateOfThenAndLaterNeeds) {
  ASSERT_EQ(Report("idle", "1", 1, 1), "idle");
  ASSERT_EQ(Report("a", "1", 1, 1), "a");
  ASSERT_EQ(Report("a", "2", 1, 2), "a");
  const absl::Time time = Arrival("a") + kTick;
  ASSERT_EQ(Report("a", "3", 1, 3), "a");
  const std::string then = StateAt(time - kTick);
  const std::string present = StateAt(absl::InfiniteFuture());
  EXPECT_THAT(store_->DropHistoryBefore(time - kTick), IsOkAndHolds(1));
  EXPECT_THAT(store_->DropHistoryBefore(time - kTick), IsOkAndHolds(0));
  EXPECT_EQ(StateAt(time - kTick), then);
  EXPECT_EQ(StateAt(absl::InfiniteFuture()), present);
  EXPECT_EQ(History({.property = "a"}), "a=2 a=3 ");
  DropBefore(absl::InfiniteFuture());
  EXPECT_EQ(History({.property = "a"}), "a=3 ");
  EXPECT_EQ(Current(), present);
  EXPECT_EQ(Report("a", "2", 1, 2), "") << "D1 holds after retention";
  EXPECT_EQ(Report("idle", "0", 1, 1), "");
}

TEST_P(TwinHistoryStoreContract, ATwinHasABoundedNumberOfProperties) {
  std::vector<ReportedValue> values;
  for (size_t i = 0; i < TwinHistoryStore::kPropertiesMax; ++i)
    values.push_back(Reported(absl::StrCat("p", i), "1", 1, 1));
  ASSERT_THAT(store_->ApplyReported(pump_, values), IsOk());
  EXPECT_THAT(
      store_->ApplyReported(pump_, {Reported("p1", "2", 1, 2), Reported("one more", "2", 1, 2)}),
      HasReason("TWIN_FULL"));
  EXPECT_EQ(History({.property = "p1"}), "p1=1 ") << "all or none";
  EXPECT_EQ(Report("p1", "2", 1, 2), "p1");
  EXPECT_EQ(Desire("one more", "1", 1), "one more");
  EXPECT_EQ(store_->Current(pump_.device)->size(), TwinHistoryStore::kPropertiesMax + 1);
  EXPECT_EQ(store_->StateAt(pump_.device, absl::InfiniteFuture())->size(),
            TwinHistoryStore::kPropertiesMax + 1);
}

TEST_P(TwinHistoryStoreContract, RefusesWhatIsOutOfBounds) {
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  const auto apply = [&](const ReportedValue& value) {
    return store_->ApplyReported(pump_, {value});
  };
  const std::string most(TwinHistoryStore::kValueBytesMax, 'v');
  EXPECT_THAT(apply(Reported("a", most, 1, 1)), IsOk());
  EXPECT_THAT(apply(Reported("a", most + "v", 1, 2)), invalid);
  EXPECT_THAT(apply(Reported("", "v", 1, 2)), invalid);
  EXPECT_THAT(apply(Reported(std::string(257, 'p'), "v", 1, 2)), invalid);
  EXPECT_THAT(apply(Reported("\xff", "v", 1, 2)), invalid);
  EXPECT_THAT(apply(Reported("a", "v", uint64_t{1} << 63, 2)), invalid);
  EXPECT_THAT(apply(Reported("a", "v", 1, uint64_t{1} << 63)), invalid);
  ReportedValue value = Reported("a", "v", 1, 2);
  value.metadata = {{"k", std::string(TwinHistoryStore::kMetadataBytesMax, 'm')}};
  EXPECT_THAT(apply(value), invalid);
  value.metadata = {{"k", std::string(TwinHistoryStore::kMetadataBytesMax - 1, 'm')}};
  EXPECT_THAT(apply(value), IsOk());
  value = Reported("a", "v", 1, 3);
  value.metadata = {{"k", "\xff"}};
  EXPECT_THAT(apply(value), IsOk()) << "no reason to lose the value";
  value.writer = std::string(257, 'w');
  EXPECT_THAT(apply(value), invalid);
  EXPECT_THAT(store_->ApplyReported(pump_, {}), invalid);
  EXPECT_THAT(store_->ApplyReported(pump_, {Reported("b", "1", 1, 1), Reported("b", "2", 1, 2)}),
              invalid);
  std::vector<ReportedValue> many;
  for (int i = 0; i < 129; ++i) many.push_back(Reported(absl::StrCat("p", i), most, 1, 1));
  EXPECT_THAT(store_->ApplyReported(pump_, many), invalid) << "in all";
  many.assign(TwinHistoryStore::kApplyMax + 1, Reported("b", "v", 1, 1));
  EXPECT_THAT(store_->ApplyReported(pump_, many), invalid);
  EXPECT_NE(Desire("a", "1", -1), "a");
  EXPECT_THAT(store_->ApplyReported({pump_.device, "", 1}, {Reported("a", "1", 9, 9)}), invalid);
  EXPECT_THAT(store_->ApplyReported({pump_.device, "u", 0}, {Reported("a", "1", 9, 9)}), invalid);
  EXPECT_THAT(store_->End({pump_.device, "", 1}), invalid);
  EXPECT_THAT(store_->History(pump_.device, {.property = ""}), invalid);
  EXPECT_THAT(store_->History(pump_.device, {.property = "a", .count_max = 0}), invalid);
  EXPECT_THAT(store_->History(pump_.device, {.property = "a", .count_max = 1001}), invalid);
}

}  // namespace skerry::devicecontroller
