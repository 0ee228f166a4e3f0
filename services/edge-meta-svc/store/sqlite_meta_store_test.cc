#include "services/edge-meta-svc/store/sqlite_meta_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::edgemeta {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// What every MetaStore promises, and what is SQLite's own.
class SqliteMetaStoreTest : public ::testing::Test {
 protected:
  SqliteMetaStoreTest() {
    char name[] = "/tmp/skerry-meta-XXXXXX";
    folder_ = mkdtemp(name);
    options_.path = folder_ + "/edge-meta.db";
    options_.key_path = folder_ + "/edge-meta.key";
    Reopen();
  }
  ~SqliteMetaStoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Reopen() {
    store_.reset();
    auto store = SqliteMetaStore::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  static Mutation Upsert(const std::string& type, const std::string& key,
                         const std::string& version, const std::string& object = "{}") {
    return {Mutation::Kind::kUpsert, type, key, version, object};
  }
  static Mutation Delete(const std::string& type, const std::string& key) {
    return {Mutation::Kind::kDelete, type, key, "", ""};
  }
  std::string Apply(std::vector<Mutation> mutations, std::set<std::string> synced = {}) {
    Batch batch;
    batch.mutations = std::move(mutations);
    batch.synced = std::move(synced);
    auto changes = store_->Apply(batch, kNow);
    return changes.ok() ? Show(*changes) : changes.status().ToString();
  }
  static std::string Show(const std::vector<watch::Change>& changes) {
    std::string text;
    for (const watch::Change& c : changes) {
      absl::StrAppend(&text, text.empty() ? "" : " ", c.deleted ? "-" : "+", c.key, "=", c.version,
                      "@", c.revision);
    }
    return text;
  }
  std::string List(const std::string& ns, const std::string& after = "", size_t limit = 100,
                   size_t bytes = 1 << 20) {
    return Show(*store_->List("pods", ns, after, limit, bytes));
  }
  std::string Log(int64_t revision, size_t bytes = 1 << 20) {
    auto page = store_->ReadLog({"pods", "secrets"}, revision, bytes);
    return page.ok() ? absl::StrCat(Show(page->changes), " to ", page->read_to)
                     : GetErrorInfo(page.status()).reason;
  }
  std::optional<PutOutcome> Put(const std::string& key, const std::string& value,
                                absl::Time now = kNow) {
    auto outcome =
        store_->PutReport({.type = "pods", .key = key, .generation = 1, .value = value}, now);
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    return outcome.ok() ? std::optional<PutOutcome>(*outcome) : std::nullopt;
  }
  // The time of the only report, which goes as when the hub has taken it.
  HybridTime TakeTime() {
    auto reports = store_->Reports(0, 10, 1 << 20);
    EXPECT_EQ(reports->size(), 1u);
    EXPECT_TRUE(store_->DropReports({(*reports)[0].number}).ok());
    return (*reports)[0].time;
  }
  std::string AllBytes() {
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  }

  std::string folder_;
  SqliteMetaStoreOptions options_;
  std::unique_ptr<SqliteMetaStore> store_;
};

TEST_F(SqliteMetaStoreTest, AppliesInOrderAndCountsRevisions) {
  EXPECT_EQ(
      Apply({Upsert("pods", "d/a", "1"), Upsert("pods", "d/b", "1"), Upsert("pods", "d/a", "2")}),
      "+d/a=1@1 +d/b=1@2 +d/a=2@3");
  EXPECT_EQ(List(""), "+d/a=2@3 +d/b=1@2");
  EXPECT_EQ(store_->Revision(), 3);
  EXPECT_EQ(Apply({Delete("pods", "d/a")}), "-d/a=2@4");
  EXPECT_EQ(store_->Get("pods", "d/a").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteMetaStoreTest, WhatChangesNothingHasNoRevision) {
  Apply({Upsert("pods", "d/a", "1")});
  EXPECT_EQ(Apply({Upsert("pods", "d/a", "1"), Delete("pods", "d/x")}), "");
  EXPECT_EQ(store_->Revision(), 1);
}

TEST_F(SqliteMetaStoreTest, SurvivesReopening) {
  Apply({Upsert("pods", "d/a", "1", "{\"x\":1}"), Upsert("secrets", "d/s", "1", "hidden")},
        {"pods"});
  Put("d/a", "status");
  std::string id = store_->id();
  Reopen();
  EXPECT_EQ(store_->id(), id);
  EXPECT_EQ(store_->Revision(), 2);
  EXPECT_EQ(store_->Get("pods", "d/a")->object, "{\"x\":1}");
  EXPECT_EQ(store_->Get("secrets", "d/s")->object, "hidden");
  EXPECT_EQ(store_->StateOf("pods")->last_synced, kNow);
  EXPECT_FALSE(store_->StateOf("secrets")->last_synced.has_value());
  EXPECT_EQ(store_->StateOf("secrets")->objects, 1);
  EXPECT_EQ(*store_->CountReports(), 1);
  EXPECT_EQ(Log(0), "+d/a=1@1 +d/s=1@2 to 2");
}

TEST_F(SqliteMetaStoreTest, ListsByNamespacePageAndBytes) {
  Apply({Upsert("pods", "a/x", "1"), Upsert("pods", "a-b/x", "1"), Upsert("pods", "a/y", "1"),
         Upsert("pods", "node", "1"), Upsert("secrets", "a/z", "1")});
  EXPECT_EQ(List("a"), "+a/x=1@1 +a/y=1@3");
  EXPECT_EQ(List("a-b"), "+a-b/x=1@2");
  EXPECT_EQ(List("nothing"), "");
  EXPECT_EQ(List("", "", 2), "+a-b/x=1@2 +a/x=1@1");
  EXPECT_EQ(List("", "a/x"), "+a/y=1@3 +node=1@4");
  EXPECT_EQ(List("", "", 100, 1), "+a-b/x=1@2") << "at least one";
}

TEST_F(SqliteMetaStoreTest, HoldingsNameEveryObjectOfTheType) {
  Apply({Upsert("pods", "d/b", "2"), Upsert("pods", "d/a", "1"), Upsert("secrets", "d/s", "3")});
  std::vector<std::pair<std::string, std::string>> expected = {{"d/a", "1"}, {"d/b", "2"}};
  EXPECT_EQ(*store_->Holdings("pods"), expected);
}

TEST_F(SqliteMetaStoreTest, DevicesAndPodsAreCompleteOnceNamedWhole) {
  for (const std::string type : {"pods", "devices.devices.kubeedge.io"}) {
    EXPECT_FALSE(*store_->Complete({type})) << type;
    Apply({Upsert(type, "d/a", "1")});
    EXPECT_FALSE(*store_->Complete({type})) << type;
    Apply({}, {type});
    EXPECT_TRUE(*store_->Complete({type, "configmaps"})) << type;
  }
}

TEST_F(SqliteMetaStoreTest, ReadObjectsGoesThroughTypesInOrder) {
  Apply({Upsert("pods", "d/a", "1"), Upsert("configmaps", "d/c", "1"),
         Upsert("secrets", "d/s", "1")});
  std::set<std::string> types = {"pods", "configmaps", "secrets"};
  watch::Position position;
  std::string seen;
  while (true) {
    auto page = store_->ReadObjects(types, position, 1);
    ASSERT_TRUE(page.ok());
    if (page->empty()) break;
    position = {page->back().type, page->back().key};
    seen += Show(*page) + ";";
  }
  EXPECT_EQ(seen, "+d/c=1@2;+d/a=1@1;+d/s=1@3;");
}

TEST_F(SqliteMetaStoreTest, LogLeavesOutReplacedStatesAndOtherTypes) {
  Apply({Upsert("pods", "d/a", "1"), Upsert("configmaps", "d/c", "1"), Upsert("pods", "d/a", "2"),
         Upsert("pods", "d/b", "1"), Delete("pods", "d/b"), Upsert("secrets", "d/s", "1")});
  EXPECT_EQ(Log(0), "+d/a=2@3 -d/b=1@5 +d/s=1@6 to 6");
  EXPECT_EQ(Log(5), "+d/s=1@6 to 6");
  EXPECT_EQ(Log(6), " to 6");
  EXPECT_EQ(Log(0, 1), "+d/a=2@3 to 4");
}

TEST_F(SqliteMetaStoreTest, DeletesInTheLogCarryTheLastState) {
  Apply({Upsert("secrets", "d/s", "1", "hidden"), Delete("secrets", "d/s")});
  auto page = store_->ReadLog({"secrets"}, 0, 1 << 20);
  ASSERT_EQ(page->changes.size(), 1u);
  EXPECT_EQ(page->changes[0].object, "hidden");
}

TEST_F(SqliteMetaStoreTest, LogIsBoundedByCount) {
  options_.log_entries_max = 3;
  Reopen();
  for (int i = 1; i <= 5; ++i) Apply({Upsert("pods", "d/a", absl::StrCat(i))});
  EXPECT_EQ(Log(1), "RESUME_TOKEN_EXPIRED");
  EXPECT_EQ(Log(2), "+d/a=5@5 to 5");
  Reopen();
  EXPECT_EQ(Log(1), "RESUME_TOKEN_EXPIRED");
}

TEST_F(SqliteMetaStoreTest, LogIsBoundedByBytes) {
  options_.log_bytes_max = 4000;
  Reopen();
  for (int i = 1; i <= 4; ++i) {
    Apply({Upsert("pods", "d/a", absl::StrCat(i), std::string(1500, 'x')), Delete("pods", "d/a")});
  }
  EXPECT_EQ(Log(0), "RESUME_TOKEN_EXPIRED");
  EXPECT_EQ(Log(7), "-d/a=4@8 to 8");
}

TEST_F(SqliteMetaStoreTest, SecretsAreNotReadableInAnyFile) {
  Apply({Upsert("secrets", "d/s", "1", "a-very-secret-value"),
         Upsert("configmaps", "d/c", "1", "a-plain-value")});
  EXPECT_EQ(AllBytes().find("a-very-secret-value"), std::string::npos);
  Apply({Delete("secrets", "d/s")});
  EXPECT_EQ(AllBytes().find("a-very-secret-value"), std::string::npos);
  EXPECT_NE(AllBytes().find("a-plain-value"), std::string::npos);
}

TEST_F(SqliteMetaStoreTest, FilesAreForTheirOwnerAlone) {
  Apply({Upsert("pods", "d/a", "1")});
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat info;
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077, 0u) << entry.path();
  }
}

TEST_F(SqliteMetaStoreTest, ALostKeyDropsWhatItSealedAndKeepsTheRest) {
  Apply({Upsert("secrets", "d/s", "1", "hidden"), Upsert("pods", "d/a", "1")});
  std::string id = store_->id();
  std::filesystem::remove(options_.key_path);
  Reopen();
  EXPECT_EQ(store_->notes().dropped_objects, 1);
  EXPECT_TRUE(store_->notes().key_created);
  EXPECT_TRUE(store_->Holdings("secrets")->empty()) << "so the cloud sends it again";
  EXPECT_TRUE(store_->Get("pods", "d/a").ok());
  EXPECT_NE(store_->id(), id) << "watchers were not told, so their positions must expire";
  EXPECT_EQ(Apply({Upsert("secrets", "d/s", "1", "hidden")}), "+d/s=1@3");
}

TEST_F(SqliteMetaStoreTest, ADamagedFileIsSetAside) {
  Apply({Upsert("pods", "d/a", "1")});
  std::string id = store_->id();
  store_.reset();
  std::filesystem::remove(options_.path + "-wal");
  std::ofstream(options_.path) << std::string(8192, 'x');
  Reopen();
  EXPECT_TRUE(store_->notes().repair.has_value());
  EXPECT_NE(store_->id(), id);
  EXPECT_EQ(store_->Revision(), 0);
}

TEST_F(SqliteMetaStoreTest, AFullFileRefusesTheWholeBatch) {
  options_.size_bytes_max = 256 << 10;
  Reopen();
  Apply({Upsert("pods", "d/a", "1")});
  Batch batch;
  batch.mutations = {Upsert("pods", "d/b", "1"),
                     Upsert("pods", "d/c", "1", std::string(1 << 20, 'x'))};
  EXPECT_EQ(store_->Apply(batch, kNow).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(List(""), "+d/a=1@1");
  EXPECT_EQ(store_->Revision(), 1);
  EXPECT_EQ(Apply({Upsert("pods", "d/d", "1")}), "+d/d=1@2");
}

TEST_F(SqliteMetaStoreTest, ReportsKeepTheLatestOfAKey) {
  EXPECT_EQ(Put("d/a", "1"), PutOutcome::kStored);
  EXPECT_EQ(Put("d/b", "1"), PutOutcome::kStored);
  EXPECT_EQ(Put("d/a", "2"), PutOutcome::kReplaced);
  auto reports = store_->Reports(0, 10, 1 << 20);
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_EQ((*reports)[0].key, "d/b");
  EXPECT_EQ((*reports)[1].value, "2");
  EXPECT_GT((*reports)[1].time, (*reports)[0].time);
}

TEST_F(SqliteMetaStoreTest, DroppingAReplacedReportLeavesTheNewer) {
  Put("d/a", "1");
  int64_t old = (*store_->Reports(0, 10, 1))[0].number;
  Put("d/a", "2");
  EXPECT_TRUE(store_->DropReports({old}).ok());
  auto reports = store_->Reports(0, 10, 1);
  ASSERT_EQ(reports->size(), 1u);
  EXPECT_TRUE(store_->DropReports({(*reports)[0].number}).ok());
  EXPECT_EQ(*store_->CountReports(), 0);
  Put("d/a", "3");
  EXPECT_GT((*store_->Reports(0, 10, 1))[0].number, (*reports)[0].number)
      << "numbers are not used twice";
}

// [meta-4.2] link-5.10: neither a clock that is set back, nor a restart, nor that no report is left
// takes the time of reports back.
TEST_F(SqliteMetaStoreTest, TimesOfReportsNeverGoBack) {
  constexpr absl::Duration kYears = absl::Hours(9 * 365 * 24);
  Put("d/a", "running", kNow + kYears);
  HybridTime last = TakeTime();
  EXPECT_EQ(last, (HybridTime{absl::ToUnixMicros(kNow + kYears), 0}));
  for (const absl::Time now : {kNow, kNow - kYears, kNow + absl::Seconds(1)}) {
    Reopen();
    Put("d/a", "ended", now);
    const HybridTime time = TakeTime();
    EXPECT_GT(time, last);
    last = time;
  }
  Put("d/a", "running", kNow + 2 * kYears);
  EXPECT_EQ(TakeTime(), (HybridTime{absl::ToUnixMicros(kNow + 2 * kYears), 0}));
}

TEST_F(SqliteMetaStoreTest, WhatComesLaterIsNewerWhateverTheClockSays) {
  Put("d/a", "first", kNow);
  EXPECT_EQ(Put("d/a", "second", kNow - absl::Hours(1)), PutOutcome::kReplaced);
  EXPECT_EQ((*store_->Reports(0, 10, 1))[0].value, "second");
}

TEST_F(SqliteMetaStoreTest, ARefusedReportTakesNoTime) {
  options_.report_bytes_max = 10;
  Reopen();
  EXPECT_FALSE(store_
                   ->PutReport({.type = "pods", .key = "d/a", .value = std::string(20, 'x')},
                               kNow + absl::Hours(1))
                   .ok());
  Put("d/a", "1");
  EXPECT_EQ(TakeTime(), (HybridTime{absl::ToUnixMicros(kNow), 0}));
}

// A store from before the time was kept goes on above the reports that it has.
TEST_F(SqliteMetaStoreTest, TakesOverTheTimesOfAnOlderSchema) {
  Put("d/a", "running", kNow + absl::Hours(1));
  store_.reset();
  {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(options_.path.c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle,
                           "ALTER TABLE store DROP COLUMN report_micros;"
                           "ALTER TABLE store DROP COLUMN report_logical;"
                           "ALTER TABLE store DROP COLUMN checksum;"
                           "ALTER TABLE objects DROP COLUMN checksum;"
                           "ALTER TABLE reports DROP COLUMN checksum;"
                           "PRAGMA application_id = 0;"
                           "PRAGMA user_version = 1",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(handle);
  }
  Reopen();
  Put("d/b", "running");
  auto reports = store_->Reports(0, 10, 1 << 20);
  ASSERT_EQ(reports->size(), 2u);
  EXPECT_GT((*reports)[1].time, (*reports)[0].time);
}

TEST_F(SqliteMetaStoreTest, ReportsAreBoundedByBytes) {
  options_.report_bytes_max = 1000;
  Reopen();
  Put("d/a", std::string(900, 'x'));
  auto full =
      store_->PutReport({.type = "pods", .key = "d/b", .value = std::string(200, 'x')}, kNow);
  EXPECT_EQ(GetErrorInfo(full.status()).reason, "REPORTS_FULL");
  EXPECT_EQ(Put("d/a", std::string(800, 'x')), PutOutcome::kReplaced);
  Reopen();
  EXPECT_EQ(Put("d/b", std::string(200, 'x')), PutOutcome::kStored);
  EXPECT_TRUE(store_->DropReports({1, 2, 3}).ok());
  EXPECT_EQ(Put("d/c", std::string(900, 'x')), PutOutcome::kStored);
}

TEST_F(SqliteMetaStoreTest, ReportsArePagedByCountAndBytes) {
  for (int i = 0; i < 5; ++i) Put(absl::StrCat("d/p", i), std::string(100, 'x'));
  EXPECT_EQ(store_->Reports(0, 3, 1 << 20)->size(), 3u);
  EXPECT_EQ(store_->Reports(0, 10, 250)->size(), 2u);
  EXPECT_EQ(store_->Reports(0, 10, 1)->size(), 1u);
}

}  // namespace
}  // namespace skerry::edgemeta
