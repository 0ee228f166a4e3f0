// A journal on a disk in memory, for tests of what uses it.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_TESTING_JOURNAL_FIXTURE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_TESTING_JOURNAL_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/store/sqlite_bus_store.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::eventbus {

class JournalFixture : public ::testing::Test {
 protected:
  explicit JournalFixture(const Journal::Options& options = {})
      : store_(*SqliteBusStore::Open("eventbus.db", {}, "store-1", clock_, {&disk_})),
        journal_(
            std::make_unique<Journal>(*store_, options, clock_, metrics_, log::Logger::Null())) {}
  ~JournalFixture() override {
    executor_.Stop();
    journal_->Stop();
  }

  // Returns when it is done.
  absl::Status Commit(BusChange change) {
    absl::Status result;
    absl::Notification done;
    journal_->Submit(std::move(change), [&](const absl::Status& status) {
      result = status;
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
  // Returns when the journal and the executor have done all that they were given so far, and what
  // follows from it.
  void Settle() {
    for (int i = 0; i < 6; ++i) {
      absl::Notification read;
      journal_->ReadUploads(0, 0, 0, [&](auto) { read.Notify(); });
      read.WaitForNotification();
      executor_.Run([] {});
    }
  }
  std::vector<std::string> Waiting() {
    std::vector<std::string> payloads;
    absl::Notification read;
    journal_->ReadPublications(0, 1000, 64 << 20, [&](auto page) {
      for (const WaitingPublication& each : *page) payloads.push_back(each.publication.payload);
      read.Notify();
    });
    read.WaitForNotification();
    return payloads;
  }

  testing::FakeClock clock_;
  sqlite::testing::SimDisk disk_{1};
  metrics::Registry registry_{"test"};
  BusMetrics metrics_{registry_};
  std::unique_ptr<SqliteBusStore> store_;
  exec::SerialExecutor executor_{"test", clock_};
  std::unique_ptr<Journal> journal_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_TESTING_JOURNAL_FIXTURE_H_
