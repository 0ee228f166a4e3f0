#include "services/edgehub-svc/store/sqlite_event_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

NewEvent Make(uint64_t number, const std::string& value = "v",
              const std::string& stream = "telemetry", const std::string& producer = "twin-1") {
  return {stream, producer, number, kNow - absl::Seconds(1), "device-1", value};
}

class SqliteEventStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteEventStore> Open(const EventBounds& bounds = {},
                                         const std::string& new_id = "store-1") {
    absl::StatusOr<std::unique_ptr<SqliteEventStore>> store =
        SqliteEventStore::Open(folder_.File("events.db"), bounds, new_id, clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    EXPECT_TRUE((*store)->Declare({"telemetry"}).ok());
    return *std::move(store);
  }

  // "1 2(+3) full": sequences, 0 for repeats, reasons of refusals.
  static std::string Append(EventStore& store, const std::vector<NewEvent>& events) {
    absl::StatusOr<EventStore::Appended> appended = store.Append(events);
    if (!appended.ok()) return appended.status().ToString();
    std::vector<std::string> texts;
    for (const absl::StatusOr<uint64_t>& outcome : appended->outcomes) {
      texts.push_back(outcome.ok() ? absl::StrCat(*outcome)
                                   : GetErrorInfo(outcome.status()).reason);
    }
    return absl::StrJoin(texts, " ");
  }

  // "3(2 dropped) 4"
  static std::string Held(EventStore& store, const std::string& stream = "telemetry",
                          uint64_t after = 0, size_t count_max = 1000, size_t bytes_max = 1 << 20) {
    absl::StatusOr<EventStore::Page> page = store.Read(stream, after, count_max, bytes_max);
    if (!page.ok()) return page.status().ToString();
    std::vector<std::string> texts;
    for (const link::StreamEvent& event : page->events) {
      texts.push_back(absl::StrCat(event.sequence));
      if (event.dropped_before != 0)
        absl::StrAppend(&texts.back(), "(", event.dropped_before, " dropped)");
    }
    if (page->more) texts.push_back("...");
    return absl::StrJoin(texts, " ");
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_{kNow};
};

TEST_F(SqliteEventStoreTest, GivesBackWhatWasPutInOrder) {
  {
    auto store = Open();
    EXPECT_EQ(Append(*store, {Make(1, std::string("\0x", 2)), Make(2)}), "1 2");
  }
  auto store = Open({}, "store-2");
  EXPECT_EQ(store->id(), "store-1");
  absl::StatusOr<EventStore::Page> page = store->Read("telemetry", 0, 10, 1 << 20);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.size(), 2u);
  EXPECT_EQ(page->events[0].value, std::string("\0x", 2));
  EXPECT_EQ(page->events[0].key, "device-1");
  EXPECT_EQ(page->events[0].time, kNow - absl::Seconds(1));
  EXPECT_EQ(Append(*store, {Make(3)}), "3");
}

TEST_F(SqliteEventStoreTest, StoresWhatAProducerPutsAgainOnce) {
  auto store = Open();
  EXPECT_EQ(Append(*store, {Make(5), Make(6)}), "1 2");
  EXPECT_EQ(Append(*store, {Make(5), Make(6), Make(7)}), "0 0 3");
  EXPECT_EQ(Append(*store, {Make(6, "v", "telemetry", "twin-2")}), "4");
  EXPECT_EQ(Append(*store, {Make(0, "v", "telemetry", ""), Make(0, "v", "telemetry", "")}), "5 6");
  store = Open();
  EXPECT_EQ(Append(*store, {Make(7)}), "0");
}

TEST_F(SqliteEventStoreTest, ReadsInPagesOfCountAndBytes) {
  auto store = Open();
  for (uint64_t i = 1; i <= 5; ++i) Append(*store, {Make(i, std::string(1000, 'x'))});
  EXPECT_EQ(Held(*store, "telemetry", 0, 2), "1 2 ...");
  EXPECT_EQ(Held(*store, "telemetry", 2, 100, 1500), "3 4 ...");
  EXPECT_EQ(Held(*store, "telemetry", 4), "5");
}

TEST_F(SqliteEventStoreTest, TheOldestMakeRoomAndTheNextTellsOfThem) {
  auto store = Open({.stream_bytes_max = 4000});
  const std::string kilobyte(900, 'x');
  EXPECT_EQ(Append(*store, {Make(1, kilobyte), Make(2, kilobyte), Make(3, kilobyte)}), "1 2 3");
  absl::StatusOr<EventStore::Appended> appended =
      store->Append({Make(4, kilobyte), Make(5, kilobyte)});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->dropped["telemetry"], 1);
  EXPECT_EQ(Held(*store), "2(1 dropped) 3 4 5");
  // The trim of what the cloud has does not count as a loss.
  ASSERT_TRUE(store->Trim("telemetry", 3).ok());
  EXPECT_EQ(Held(*store), "4 5");
  // One that takes the place of all.
  EXPECT_EQ(Append(*store, {Make(6, std::string(3500, 'x'))}), "6");
  EXPECT_EQ(Held(*store), "6(2 dropped)");
  // One that has no place at all: nothing is dropped for it.
  EXPECT_EQ(Append(*store, {Make(7, std::string(5000, 'x'))}), "STREAM_FULL");
  EXPECT_EQ(Held(*store), "6(2 dropped)");
}

TEST_F(SqliteEventStoreTest, AStreamThatRefusesKeepsOrder) {
  auto store = Open({.stream_bytes_max = 2500});
  ASSERT_TRUE(store->Declare({"alarms", link::EventPriority::kAlarm, WhenFull::kRefuse}).ok());
  const std::string kilobyte(900, 'x');
  // The fourth would fit, and must not overtake the third.
  EXPECT_EQ(Append(*store, {Make(1, kilobyte, "alarms"), Make(2, kilobyte, "alarms"),
                            Make(3, kilobyte, "alarms"), Make(4, "v", "alarms"),
                            Make(1, "v", "alarms", "twin-2")}),
            "1 2 STREAM_FULL STREAM_FULL 3");
  ASSERT_TRUE(store->Trim("alarms", 2).ok());
  EXPECT_EQ(Append(*store, {Make(3, kilobyte, "alarms"), Make(4, "v", "alarms")}), "4 5");
  EXPECT_EQ(Held(*store, "alarms"), "3 4 5");
}

TEST_F(SqliteEventStoreTest, AnUndeclaredStreamAndOneTooManyAreRefused) {
  auto store = Open();
  EXPECT_EQ(Append(*store, {Make(1, "v", "nothing")}), "STREAM_UNKNOWN");
  for (int i = 0; i < 11; ++i) EXPECT_TRUE(store->Declare({absl::StrCat("s", i)}).ok());
  EXPECT_EQ(GetErrorInfo(store->Declare({"s11"})).reason, "TOO_MANY_STREAMS");
  EXPECT_TRUE(store->Declare({"s10", link::EventPriority::kBulk}).ok());
}

TEST_F(SqliteEventStoreTest, ForgetsWhatIsTooOld) {
  auto store = Open({.age_max = absl::Hours(1)});
  EXPECT_EQ(Append(*store, {Make(1), Make(2)}), "1 2");
  clock_.Advance(absl::Minutes(30));
  EXPECT_EQ(Append(*store, {Make(3)}), "3");
  clock_.Advance(absl::Minutes(31));
  absl::StatusOr<std::map<std::string, int64_t>> dropped = store->DropExpired();
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_EQ((*dropped)["telemetry"], 2);
  EXPECT_EQ(Held(*store), "3(2 dropped)");
  clock_.Advance(absl::Hours(2));
  ASSERT_TRUE(store->DropExpired().ok());
  EXPECT_EQ(Held(*store), "");
  // What was dropped last is told by what comes after it, also after a restart.
  store = Open();
  EXPECT_EQ(Append(*store, {Make(4)}), "4");
  EXPECT_EQ(Held(*store), "4(3 dropped)");
}

// [edgehub-2.7]
TEST_F(SqliteEventStoreTest, AgesByTheTimeThatItIsOpenWhateverTheClockSays) {
  const EventBounds bounds{.age_max = absl::Hours(1)};
  auto store = Open(bounds);
  EXPECT_EQ(Append(*store, {Make(1)}), "1");
  for (const absl::Duration step : {absl::Hours(24 * 365 * 50), -absl::Hours(24 * 365 * 60)}) {
    clock_.SetNow(clock_.Now() + step);
    ASSERT_TRUE(store->DropExpired().ok());
    EXPECT_EQ(Held(*store), "1");
  }
  clock_.Advance(absl::Minutes(40));
  ASSERT_TRUE(store->DropExpired().ok());
  store = Open(bounds);
  clock_.Advance(absl::Minutes(40));
  ASSERT_TRUE(store->DropExpired().ok());
  EXPECT_EQ(Held(*store), "");
}

TEST_F(SqliteEventStoreTest, StatisticsAreThoseOfTheFile) {
  auto store = Open({.stream_bytes_max = 3000});
  for (uint64_t i = 1; i <= 40; ++i) {
    clock_.Advance(absl::Seconds(1));
    Append(*store, {Make(i, std::string(i * 37 % 700, 'x'))});
    if (i % 9 != 0) continue;
    ASSERT_TRUE(store->Trim("telemetry", i - 3).ok());
  }
  const StreamStats stats = store->stats().at("telemetry");
  store = Open({.stream_bytes_max = 3000});
  const StreamStats read = store->stats().at("telemetry");
  EXPECT_EQ(stats.entries, read.entries);
  EXPECT_EQ(stats.size_bytes, read.size_bytes);
  EXPECT_EQ(stats.last_sequence, read.last_sequence);
  EXPECT_EQ(stats.oldest_time, read.oldest_time);
  EXPECT_LE(stats.size_bytes, 3000);
}

TEST_F(SqliteEventStoreTest, ADamagedFileIsSetAside) {
  { EXPECT_EQ(Append(*Open(), {Make(1)}), "1"); }
  std::ofstream(folder_.File("events.db"), std::ios::binary | std::ios::trunc)
      << std::string(8192, 'Z');
  auto store = Open({}, "store-2");
  EXPECT_TRUE(store->repair().has_value());
  EXPECT_EQ(store->id(), "store-2");
  EXPECT_EQ(Append(*store, {Make(1)}), "1");
}

// A child puts events and tells of each one that is durable, until it is killed.
void PutUntilKilled(const std::string& path, int out) {
  skerry::testing::FakeClock clock(kNow);
  absl::StatusOr<std::unique_ptr<SqliteEventStore>> store =
      SqliteEventStore::Open(path, {}, "id", clock);
  if (!store.ok() || !(*store)->Declare({"telemetry"}).ok()) _exit(1);
  uint64_t number = (*store)->stats().at("telemetry").last_sequence;
  while (true) {
    ++number;
    if (!(*store)->Append({Make(number, absl::StrCat(number))}).ok()) _exit(2);
    if (write(out, &number, sizeof(number)) != sizeof(number)) _exit(3);
  }
}

// L1, A5: SIGKILL at any instant loses nothing that was answered and doubles nothing.
TEST_F(SqliteEventStoreTest, SurvivesSigkill) {
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      PutUntilKilled(folder_.File("events.db"), pipe_ends[1]);
    }
    close(pipe_ends[1]);
    uint64_t answered = 0;
    for (int i = 0; i < 20 + 7 * round; ++i) {
      if (read(pipe_ends[0], &answered, sizeof(answered)) != sizeof(answered)) break;
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    close(pipe_ends[0]);

    auto store = Open();
    EXPECT_FALSE(store->repair().has_value());
    absl::StatusOr<EventStore::Page> page = store->Read("telemetry", 0, 100000, 1 << 30);
    ASSERT_TRUE(page.ok()) << page.status();
    ASSERT_GE(page->events.size(), answered);
    for (size_t i = 0; i < page->events.size(); ++i) {
      EXPECT_EQ(page->events[i].sequence, i + 1);
      EXPECT_EQ(page->events[i].value, absl::StrCat(i + 1));
    }
  }
}

}  // namespace
}  // namespace skerry::edgehub
