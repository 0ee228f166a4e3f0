#include "services/device-controller-svc/store/telemetry_store_contract.h"

#include "absl/strings/str_cat.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {

using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

namespace {

TelemetryEvents Events(uint64_t first, uint64_t last, const std::string& store_id = "s1") {
  return {
      .node = "edge-1", .store_id = store_id, .stream = "telemetry", .first = first, .last = last};
}

std::string Text(const absl::StatusOr<std::vector<TelemetryBucket>>& buckets, absl::Time from) {
  if (!buckets.ok()) return buckets.status().ToString();
  std::string text;
  for (const TelemetryBucket& b : *buckets) {
    absl::StrAppend(&text, absl::ToInt64Seconds(b.start - from), ": n=", b.count, " min=", b.min,
                    " max=", b.max, " mean=", b.mean, " first=", b.first, " last=", b.last, "; ");
  }
  return text;
}

}  // namespace

TelemetryRow TelemetryStoreContract::Row(uint64_t sequence, absl::Time time,
                                         const std::string& value, const std::string& model) const {
  return {.sequence = sequence,
          .device = pump_,
          .model = model,
          .property = "speed",
          .time = time,
          .value = value};
}

std::string TelemetryStoreContract::Append(std::vector<TelemetryRow> rows) {
  const uint64_t first = last_ + 1;
  for (TelemetryRow& row : rows) row.sequence = ++last_;
  const auto appended = store_->Append(Events(first, last_), rows);
  return appended.ok() ? "ok" : appended.status().ToString();
}

std::string TelemetryStoreContract::Append(const TelemetryEvents& events,
                                           const std::vector<TelemetryRow>& rows) {
  const absl::StatusOr<AppendedTelemetry> result = store_->Append(events, rows);
  if (!result.ok()) return result.status().ToString();
  return absl::StrCat(result->appended, "/", result->skipped, "/", result->last);
}

std::string TelemetryStoreContract::All(const std::string& property) {
  return Text(store_->Query(pump_, {.property = property, .count_max = 1000}));
}

std::string TelemetryStoreContract::Text(const absl::StatusOr<std::vector<Reading>>& readings) {
  if (!readings.ok()) return readings.status().ToString();
  std::string text;
  for (const Reading& reading : *readings) absl::StrAppend(&text, reading.value, " ");
  return text;
}

int64_t TelemetryStoreContract::DropBefore(const std::string& model, absl::Time time) {
  int64_t all = 0;
  absl::StatusOr<int64_t> dropped;
  do {
    dropped = store_->DropBefore(model, time);
    EXPECT_THAT(dropped, IsOk());
    all += dropped.value_or(0);
  } while (dropped.value_or(0) > 0);
  return all;
}

TEST_P(TelemetryStoreContract, KeepsReadingsAsTheyWereOverARestart) {
  const std::string bytes("a\0\xff\\\"", 5);
  ASSERT_EQ(Append({Row(0, At(1), "21.5"), Row(0, At(2), bytes), Row(0, At(3), "")}), "ok");
  Restart();
  const std::vector<Reading> readings = *store_->Query(pump_, {.property = "speed"});
  ASSERT_EQ(readings.size(), 3u);
  EXPECT_EQ(readings[0].position.time, At(1));
  EXPECT_EQ(readings[0].value, "21.5");
  EXPECT_EQ(readings[0].number, 21.5);
  EXPECT_EQ(readings[1].value, bytes);
  EXPECT_EQ(readings[1].number, std::nullopt);
  EXPECT_EQ(readings[2].value, "");
  EXPECT_EQ(All("heat"), "");
  EXPECT_EQ(Text(store_->Query(*DeviceName::Parse("shop/other"), {.property = "speed"})), "");
}

// A3.
TEST_P(TelemetryStoreContract, AnEventThatComesAgainHasItsEffectOnce) {
  EXPECT_EQ(Append(Events(1, 2), {Row(1, At(1), "a"), Row(1, At(1), "b"), Row(2, At(2), "c")}),
            "3/0/2");
  EXPECT_EQ(Append(Events(1, 2), {Row(1, At(1), "a"), Row(2, At(2), "c")}), "0/2/2");
  Restart();
  EXPECT_EQ(Append(Events(2, 3), {Row(2, At(2), "c"), Row(3, At(3), "d")}), "1/1/3");
  EXPECT_EQ(Append(Events(1, 1), {Row(1, At(1), "a")}), "0/1/3");
  EXPECT_EQ(Append(Events(7, 9), {Row(9, At(4), "e")}), "1/0/9") << "behind dropped ones";
  EXPECT_EQ(Append(Events(10, 12), {}), "0/0/12") << "of no use";
  EXPECT_EQ(Append(Events(11, 11), {Row(11, At(5), "f")}), "0/1/12");
  EXPECT_EQ(All(), "a b c d e ");
}

TEST_P(TelemetryStoreContract, StreamsCountForThemselves) {
  EXPECT_EQ(Append(Events(1, 5), {Row(5, At(1), "a")}), "1/0/5");
  EXPECT_EQ(Append(Events(1, 1, "s2"), {Row(1, At(2), "b")}), "1/0/1") << "the box's store is new";
  EXPECT_EQ(Append(Events(4, 5, "s1"), {Row(5, At(1), "a")}), "0/1/5") << "late, of the former one";
  TelemetryEvents events = Events(1, 1);
  events.stream = "alarms";
  EXPECT_EQ(Append(events, {Row(1, At(3), "c")}), "1/0/1");
  events.node = "edge-2";
  EXPECT_EQ(Append(events, {Row(1, At(4), "d")}), "1/0/1");
  for (int i = 0; i < TelemetryStore::kStoresMax; ++i)
    EXPECT_EQ(Append(Events(1, 1, absl::StrCat("t", i)), {}), "0/0/1");
  EXPECT_EQ(Append(Events(1, 1, "t0"), {Row(1, At(5), "again")}), "0/1/1");
  EXPECT_EQ(Append(Events(1, 1, "s1"), {}), "0/0/1") << "forgotten: the oldest of too many";
  EXPECT_EQ(All(), "a b c d ");
}

TEST_P(TelemetryStoreContract, ARefusedAppendLeavesTheStreamWhereItWas) {
  ASSERT_EQ(Append(Events(1, 1), {Row(1, At(1), "a")}), "1/0/1");
  TelemetryRow bad = Row(3, At(3), "c");
  bad.property = "";
  EXPECT_THAT(store_->Append(Events(2, 3), {Row(2, At(2), "b"), bad}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(All(), "a ");
  EXPECT_EQ(Append(Events(2, 2), {Row(2, At(2), "b")}), "1/0/2");
}

TEST_P(TelemetryStoreContract, QueriesInPagesBothWays) {
  // Of one time too, in the order of arrival; and over midnight.
  ASSERT_EQ(Append({Row(0, At(5), "c"), Row(0, At(5), "d"), Row(0, At(1), "a")}), "ok");
  ASSERT_EQ(Append({Row(0, At(5), "e"), Row(0, At(2), "b"), Row(0, At(-86400), "y")}), "ok");
  EXPECT_EQ(All(), "y a b c d e ");
  TelemetryQuery query{.property = "speed", .count_max = 2};
  std::string all;
  for (int page = 0; page < 3; ++page) {
    const std::vector<Reading> readings = *store_->Query(pump_, query);
    absl::StrAppend(&all, Text(readings), "| ");
    query.after = readings.back().position;
  }
  EXPECT_EQ(all, "y a | b c | d e | ");
  EXPECT_EQ(Text(store_->Query(pump_, query)), "");
  query = {.property = "speed", .newest_first = true, .count_max = 4};
  const std::vector<Reading> readings = *store_->Query(pump_, query);
  EXPECT_EQ(Text(readings), "e d c b ");
  query.after = readings.back().position;
  EXPECT_EQ(Text(store_->Query(pump_, query)), "a y ");
  query.to = At(2);
  query.after = readings.front().position;
  EXPECT_EQ(Text(store_->Query(pump_, query)), "a y ") << "a place behind the range's end";
  query.after = readings[1].position;
  query.to = At(6);
  EXPECT_EQ(Text(store_->Query(pump_, query)), "c b a y ") << "within a time";
  EXPECT_EQ(Text(store_->Query(pump_, {.property = "speed", .from = At(1), .to = At(5)})), "a b ");
  EXPECT_EQ(Text(store_->Query(pump_, {.property = "speed", .from = At(5), .to = At(5)})), "");
}

TEST_P(TelemetryStoreContract, AggregatesNumbersInBuckets) {
  ASSERT_EQ(Append({Row(0, At(0), "4"), Row(0, At(9), "-2"), Row(0, At(5), "1"),
                    Row(0, At(6), "no number"), Row(0, At(7), "nan"), Row(0, At(8), "1e999"),
                    Row(0, At(20), "8"), Row(0, At(20), "0.5"), Row(0, At(30), "7"),
                    Row(0, At(-1), "99")}),
            "ok");
  EXPECT_EQ(devicecontroller::Text(
                store_->Aggregate(pump_, "speed", At(0), At(30), absl::Seconds(10)), At(0)),
            "0: n=3 min=-2 max=4 mean=1 first=4 last=-2; "
            "20: n=2 min=0.5 max=8 mean=4.25 first=8 last=0.5; ");
  EXPECT_EQ(devicecontroller::Text(
                store_->Aggregate(pump_, "speed", At(-5), At(31), absl::Hours(1)), At(-5)),
            "0: n=7 min=-2 max=99 mean=16.7857 first=99 last=7; ");
  EXPECT_EQ(devicecontroller::Text(
                store_->Aggregate(pump_, "heat", At(0), At(30), absl::Seconds(10)), At(0)),
            "");
}

TEST_P(TelemetryStoreContract, RetentionIsOfAModel) {
  TelemetryRow other = Row(0, At(0), "other", "valve");
  other.device = *DeviceName::Parse("shop/valve");
  ASSERT_EQ(Append({Row(0, At(-86400), "old"), Row(0, At(0), "a"), Row(0, At(1), "b"), other}),
            "ok");
  EXPECT_EQ(DropBefore("unknown", At(100)), 0);
  EXPECT_EQ(DropBefore("sensor", At(1)), 2);
  EXPECT_EQ(All(), "b ") << "without the end of the time";
  EXPECT_EQ(DropBefore("sensor", At(86400)), 1);
  EXPECT_EQ(All(), "");
  EXPECT_EQ(Text(store_->Query(other.device, {.property = "speed"})), "other ");
  EXPECT_EQ(DropBefore("valve", At(86400)), 1);
  EXPECT_EQ(Append({Row(0, At(2), "late")}), "ok") << "a day that was dropped comes again";
  EXPECT_EQ(All(), "late ");
}

TEST_P(TelemetryStoreContract, NamesTheModelsOfWhichItHasReadings) {
  EXPECT_THAT(store_->Models(), IsOkAndHolds(std::vector<std::string>()));
  TelemetryRow other = Row(1, At(0), "1", "shop/" + std::string(253, 'm'));
  other.property = "level";
  EXPECT_EQ(Append({Row(1, At(0), "1", "shop/b"), Row(2, At(1), "1", "shop/a"), other}), "ok");
  EXPECT_THAT(store_->Models(), IsOkAndHolds(std::vector<std::string>{"shop/a", other.model}));
  EXPECT_EQ(DropBefore(other.model, At(1)), 1);
}

TEST_P(TelemetryStoreContract, ReadingsAreKeptAsTheDevicesPresentModelIs) {
  ASSERT_EQ(Append({Row(0, At(0), "a", "sensor")}), "ok");
  ASSERT_EQ(Append({Row(0, At(1), "b", "valve")}), "ok");
  EXPECT_EQ(DropBefore("sensor", At(100)), 0);
  EXPECT_EQ(DropBefore("valve", At(1)), 1);
  EXPECT_EQ(All(), "b ");
}

TEST_P(TelemetryStoreContract, AReadingOfAClockThatIsYearsOffIsKeptByItsArrival) {
  const absl::Time now = home_->Now();
  ASSERT_EQ(
      Append({Row(0, absl::FromUnixSeconds(-5), "past"), Row(0, At(0), "a"),
              Row(0, now + absl::Hours(24 * 3650), "future"),
              Row(0, absl::InfiniteFuture(), "never"), Row(0, absl::InfinitePast(), "always")}),
      "ok");
  EXPECT_EQ(All(), "always past a future ") << "the end of a query is not in it";
  EXPECT_EQ(DropBefore("sensor", now - absl::Seconds(60)), 1);
  EXPECT_EQ(All(), "always past future ");
  EXPECT_EQ(DropBefore("sensor", now + absl::Hours(1)), 4);
  EXPECT_EQ(All(), "");
}

TEST_P(TelemetryStoreContract, TenThousandReadings) {
  int64_t count = 0;
  for (uint64_t batch = 0; batch < 100; ++batch) {
    std::vector<TelemetryRow> rows;
    for (uint64_t i = 0; i < 100; ++i)
      rows.push_back(Row(0, At(static_cast<int64_t>(batch * 100 + i)), absl::StrCat(batch)));
    ASSERT_EQ(Append(rows), "ok");
  }
  const auto buckets = store_->Aggregate(pump_, "speed", At(0), At(10000), absl::Seconds(1));
  ASSERT_THAT(buckets, IsOk());
  for (const TelemetryBucket& bucket : *buckets) count += bucket.count;
  EXPECT_EQ(count, 10000);
  EXPECT_EQ(DropBefore("sensor", At(10000)), 10000);
  EXPECT_EQ(All(), "");
}

TEST_P(TelemetryStoreContract, RefusesWhatIsOutOfBounds) {
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  const TelemetryRow good = Row(1, At(0), "v");
  const auto append = [&](const TelemetryEvents& events, const TelemetryRow& row) {
    return store_->Append(events, {row});
  };
  const std::string most(TelemetryStore::kValueBytesMax, 'v');
  TelemetryRow row = good;
  row.value = most + "v";
  EXPECT_THAT(append(Events(1, 1), row), invalid);
  row = good;
  row.property = std::string(257, 'p');
  EXPECT_THAT(append(Events(1, 1), row), invalid);
  row = good;
  row.model = "\xff";
  EXPECT_THAT(append(Events(1, 1), row), invalid);
  EXPECT_THAT(append(Events(2, 2), good), invalid) << "of another event";
  EXPECT_THAT(append(Events(0, 1), good), invalid);
  EXPECT_THAT(append(Events(2, 1), good), invalid);
  EXPECT_THAT(append(Events(1, uint64_t{1} << 63), good), invalid);
  EXPECT_THAT(append(Events(1, 1, ""), good), invalid);
  EXPECT_THAT(store_->Append(Events(1, 1), std::vector<TelemetryRow>(1001, good)), invalid);
  EXPECT_THAT(store_->Append(Events(1, 1), std::vector<TelemetryRow>(129, Row(1, At(0), most))),
              invalid);
  EXPECT_THAT(store_->Query(pump_, {.property = ""}), invalid);
  EXPECT_THAT(store_->Query(pump_, {.property = "speed", .count_max = 0}), invalid);
  EXPECT_THAT(store_->Query(pump_, {.property = "speed", .count_max = 1001}), invalid);
  const auto aggregate = [&](absl::Time from, absl::Time to, absl::Duration width) {
    return store_->Aggregate(pump_, "speed", from, to, width);
  };
  EXPECT_THAT(aggregate(At(0), At(10000), absl::Seconds(1)), IsOk());
  EXPECT_THAT(aggregate(At(0), At(10001), absl::Seconds(1)), invalid);
  EXPECT_THAT(aggregate(At(0), At(0), absl::Seconds(1)), invalid);
  EXPECT_THAT(aggregate(At(0), At(1), absl::ZeroDuration()), invalid);
  EXPECT_THAT(aggregate(At(0), At(1), absl::Nanoseconds(1500)), invalid);
  EXPECT_THAT(aggregate(absl::InfinitePast(), At(1), absl::Hours(1)), invalid);
  EXPECT_THAT(aggregate(At(0), absl::InfiniteFuture(), absl::InfiniteDuration()), invalid);
  EXPECT_THAT(store_->DropBefore("\xff", At(0)), invalid);
  EXPECT_EQ(All(), "");
}

}  // namespace skerry::devicecontroller
