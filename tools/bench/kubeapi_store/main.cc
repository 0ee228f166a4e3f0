// How many writes a second the object store takes, beside bare SQLite inserts of the same bytes
// with the same sync setting on the same disk in the same run:
//   kubeapi_store [folder [seconds]]
// The folder (default: the working directory) should be on the disk that the store would use.
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/database.h"

namespace {

// About a small pod.
const std::string kJson(2000, 'j');
constexpr int kManyWriters = 32;

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "kubeapi_store: %s\n", status.ToString().c_str());
  std::exit(1);
}

// Writes a second of one connection, a transaction each.
double MeasureBare(const std::string& path, absl::Duration time) {
  constexpr const char* kTable[] = {"CREATE TABLE t (name TEXT PRIMARY KEY, json TEXT NOT NULL)"};
  auto database = skerry::sqlite::Database::Open({.path = path, .full_sync = true}, kTable);
  if (!database.ok()) Die(database.status());
  int64_t writes = 0;
  const absl::Time begin = absl::Now();
  while (absl::Now() < begin + time) {
    const absl::Status status = (*database)
                                    ->Prepare("INSERT INTO t VALUES (?, ?)")
                                    .Bind(1, absl::StrCat("pod-", writes))
                                    .Bind(2, kJson)
                                    .Run();
    if (!status.ok()) Die(status);
    ++writes;
  }
  return static_cast<double>(writes) / absl::ToDoubleSeconds(absl::Now() - begin);
}

struct Measured {
  double writes_per_second = 0;
  double p99_ms = 0;
};

// Creates from `writers` threads, each durable before the next.
Measured MeasureStore(const std::string& path, int writers, absl::Duration time) {
  skerry::metrics::Registry registry("kubeapi_store_bench");
  auto store = skerry::kubeapi::OpenSqliteObjectStore({.path = path}, registry);
  if (!store.ok()) Die(store.status());
  const absl::Time begin = absl::Now();
  std::vector<std::vector<double>> latencies_ms(static_cast<size_t>(writers));
  std::vector<std::thread> threads;
  for (int t = 0; t < writers; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; absl::Now() < begin + time; ++i) {
        const absl::Time sent = absl::Now();
        const auto revision = (*store)->Create({.resource = "pods",
                                                .object_namespace = absl::StrCat("n", t),
                                                .name = absl::StrCat("pod-", i)},
                                               kJson);
        if (!revision.ok()) Die(revision.status());
        latencies_ms[static_cast<size_t>(t)].push_back(
            absl::ToDoubleMilliseconds(absl::Now() - sent));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const absl::Duration took = absl::Now() - begin;
  std::vector<double> all;
  for (const auto& some : latencies_ms) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  return {.writes_per_second = static_cast<double>(all.size()) / absl::ToDoubleSeconds(took),
          .p99_ms = all[all.size() * 99 / 100]};
}

void Print(const char* name, double ours, double reference, const char* unit,
           const char* reference_is) {
  std::printf("bench=%s ours=%.2f reference=%.2f unit=%s ratio=%.2f reference_is=%s\n", name, ours,
              reference, unit, ours / reference, reference_is);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : ".";
  int seconds = 5;
  if (argc > 2 && (!absl::SimpleAtoi(argv[2], &seconds) || seconds < 1)) {
    std::fprintf(stderr, "usage: kubeapi_store [folder [seconds]]\n");
    return 2;
  }
  std::string folder = parent + "/kubeapi-store-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "kubeapi_store: cannot make a folder in %s\n", parent.c_str());
    return 1;
  }
  const absl::Duration time = absl::Seconds(seconds);
  const double bare = MeasureBare(folder + "/bare.db", time);
  const Measured one = MeasureStore(folder + "/one.db", 1, time);
  const Measured many = MeasureStore(folder + "/many.db", kManyWriters, time);
  std::filesystem::remove_all(folder);
  Print("kubeapi_store_writes_1_writer", one.writes_per_second, bare, "writes/s",
        "one_SQLite_insert_per_transaction_same_bytes_and_sync");
  Print("kubeapi_store_writes_32_writers", many.writes_per_second, bare, "writes/s",
        "one_SQLite_insert_per_transaction_same_bytes_and_sync");
  Print("kubeapi_store_p99_32_writers", many.p99_ms, 1000 / bare, "ms",
        "mean_time_of_one_bare_insert");
  return 0;
}
