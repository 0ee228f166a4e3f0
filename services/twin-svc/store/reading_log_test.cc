#include "services/twin-svc/store/reading_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/store/sqlite_twin_store.h"
#include "services/twin-svc/wire/reading_wire.h"

namespace skerry::twin {
namespace {

using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");
const DeviceName kValve = *DeviceName::Parse("plant/valve");

class ReadingLogTest : public ::testing::Test {
 protected:
  void Report(const DeviceName& device, const std::string& uid,
              const std::map<std::string, std::string>& values) {
    Write write;
    for (const auto& [name, value] : values) {
      write.reported[name] = {.value = value, .time = clock_.Now()};
    }
    const Twin twin{.uid = uid};
    ASSERT_THAT(store_->Save({{device, &twin, {}, ReadingsOf(uid, write)}}), IsOk());
    clock_.Advance(absl::Seconds(1));
  }
  static std::vector<std::string> Values(const ReadingPage& page) {
    std::vector<std::string> out;
    for (const v1::Reading& reading : page.readings) {
      out.push_back(absl::StrCat(reading.property(), "=", reading.value()));
    }
    return out;
  }

  testing::TempDir folder_;
  testing::FakeClock clock_;
  std::unique_ptr<SqliteTwinStore> store_ =
      *SqliteTwinStore::Open(folder_.File("twins.db"), {}, clock_);
  std::unique_ptr<ReadingLog> log_ = *ReadingLog::Open(folder_.File("twins.db"));
};

TEST_F(ReadingLogTest, SeesWhatIsCommittedBesideIt) {
  EXPECT_THAT(*log_->Read(0, 10, 1 << 20), IsEmpty());
  const absl::Time first = clock_.Now();
  Report(kPump, "u1", {{"level", "1"}});
  Report(kValve, "u2", {{"open", "true"}});
  const auto rows = *log_->Read(0, 10, 1 << 20);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].sequence, 1u);
  EXPECT_EQ(rows[0].device, "plant/pump-1");
  EXPECT_EQ(rows[0].time, first);
  EXPECT_EQ(rows[1].device, "plant/valve");
  EXPECT_EQ(log_->Read(1, 10, 1 << 20)->size(), 1u);
  EXPECT_EQ(log_->Read(0, 1, 1 << 20)->size(), 1u);
}

TEST_F(ReadingLogTest, ReadsWhatFitsAndAtLeastOne) {
  for (int i = 0; i < 4; ++i) Report(kPump, "u1", {{"level", std::string(1000, 'x')}});
  EXPECT_EQ(log_->Read(0, 10, 2500)->size(), 2u);
  EXPECT_EQ(log_->Read(0, 10, 10)->size(), 1u);
}

TEST_F(ReadingLogTest, ListsInPagesThatMaySplitAWrite) {
  Report(kPump, "u1", {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  Report(kValve, "u2", {{"a", "9"}});
  Report(kPump, "u1", {{"a", "4"}});
  ReadingQuery query{.device = kPump, .uid = "u1", .count_max = 2};
  ReadingPage page = *log_->List(query);
  EXPECT_THAT(Values(page), ElementsAre("a=1", "b=2"));
  ASSERT_TRUE(page.next.has_value());
  query.from = *page.next;
  page = *log_->List(query);
  EXPECT_THAT(Values(page), ElementsAre("c=3", "a=4"));
  EXPECT_FALSE(page.next.has_value());
}

TEST_F(ReadingLogTest, ListsOfAPropertyAndATime) {
  const absl::Time begin = clock_.Now();
  for (int i = 0; i < 4; ++i) {
    Report(kPump, "u1", {{"a", absl::StrCat(i)}, {"b", absl::StrCat(i)}});
  }
  EXPECT_THAT(Values(*log_->List({.device = kPump,
                                  .uid = "u1",
                                  .property = "b",
                                  .start = begin + absl::Seconds(1),
                                  .end = begin + absl::Seconds(3)})),
              ElementsAre("b=1", "b=2"));
}

TEST_F(ReadingLogTest, AFormerDeviceOfTheNameIsAnother) {
  Report(kPump, "u1", {{"a", "1"}});
  Report(kPump, "u2", {{"a", "2"}});
  EXPECT_THAT(Values(*log_->List({.device = kPump, .uid = "u2"})), ElementsAre("a=2"));
}

TEST_F(ReadingLogTest, APageLooksAtABoundedNumberOfRows) {
  std::vector<std::string> values(6000, ReadingsOf("u1", {.reported = {{"a", {.value = "1"}}}})[0]);
  const Twin twin{.uid = "u1"};
  ASSERT_THAT(store_->Save({{kPump, &twin, {}, values}}), IsOk());
  Report(kPump, "u1", {{"b", "2"}});
  ReadingQuery query{.device = kPump, .uid = "u1", .property = "b"};
  ReadingPage page = *log_->List(query);
  EXPECT_THAT(Values(page), IsEmpty());
  ASSERT_TRUE(page.next.has_value());
  query.from = *page.next;
  EXPECT_THAT(Values(*log_->List(query)), ElementsAre("b=2"));
}

}  // namespace
}  // namespace skerry::twin
