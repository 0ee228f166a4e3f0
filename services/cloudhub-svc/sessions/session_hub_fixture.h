// A hub with a store that can hang, and boxes that dial it.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_FIXTURE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/join/sqlite_node_records.h"
#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/cloudhub-svc/store/sqlite_command_store.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {

// A store that can hang.
class HangingRecords final : public NodeRecords {
 public:
  explicit HangingRecords(NodeRecords& records) : records_(records) {}

  absl::StatusOr<uint64_t> Admit(const LinkingBox& box) override {
    absl::MutexLock lock(&mutex_);
    ++asked_;
    mutex_.Await(absl::Condition(&goes_));
    return records_.Admit(box);
  }
  absl::StatusOr<bool> EpochStored(const LinkingBox& box, uint64_t epoch) override {
    return records_.EpochStored(box, epoch);
  }
  void Hang(bool hang) {
    absl::MutexLock lock(&mutex_);
    goes_ = !hang;
  }
  int asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }
  // As often as that, with one that hangs.
  void AwaitAsked(int times) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, times]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return asked_ >= times; };
    mutex_.Await(absl::Condition(&enough));
  }

 private:
  NodeRecords& records_;
  absl::Mutex mutex_;
  bool goes_ ABSL_GUARDED_BY(mutex_) = true;
  int asked_ ABSL_GUARDED_BY(mutex_) = 0;
};

class SessionHubTest : public ::testing::Test {
 protected:
  struct Node {
    SessionHub::Connection connection;
    std::shared_ptr<testing::FakeNode> link;
  };

  SessionHubTest() : registry_("cloudhub-svc"), metrics_(registry_) { StartHub(256); }

  void StartHub(size_t syncs_max) {
    SessionHub::Config config;
    config.session.hub = "hub-1";
    config.session.compression = true;  // Where the node accepts it.
    config.admission.syncs_max = syncs_max;
    config.commands.waiting_max = 3;
    config.connections_max = 4;
    hub_ = std::make_unique<SessionHub>(config, hanging_, *commands_, clock_, metrics_,
                                        log::Logger::Null());
  }

  // Everything that was posted has run, and what shards posted to each other.
  void Settle() {
    hub_->Settle();
    hub_->Settle();
  }

  static LinkingBox Box(const std::string& name, const std::string& key = "key") {
    return {*NodeName::Parse(name), key};
  }

  Node Dial(const std::string& name, const std::string& key = "key",
            const std::string& boot_id = "boot", uint64_t stored_epoch = 0) {
    Node node;
    node.link = std::make_shared<testing::FakeNode>();
    absl::StatusOr<SessionHub::Connection> connection =
        hub_->Open(Box(name, key), "ipv4:127.0.0.1:1", node.link);
    EXPECT_TRUE(connection.ok()) << connection.status();
    node.connection = *connection;
    hub_->Frame(node.connection, link::Hello{1, boot_id, "journal", "v1", stored_epoch}, [] {});
    return node;
  }
  Node Connect(const std::string& name, const std::string& key = "key",
               const std::string& boot_id = "boot", uint64_t stored_epoch = 0) {
    Node node = Dial(name, key, boot_id, stored_epoch);
    Settle();
    return node;
  }
  // The session's epoch, which the box has stored.
  uint64_t StoreEpoch(const Node& node) {
    const uint64_t epoch = node.link->TakeEpoch();
    Frame(node, link::EpochStored{});
    return epoch;
  }

  void Frame(const Node& node, link::EdgeFrame frame) {
    hub_->Frame(node.connection, std::move(frame), [] {});
    Settle();
  }

  // The controller brings the node up to date.
  void Sync(const Node& node, const std::string& name, uint64_t epoch, link::SpokeId spoke,
            uint64_t subscription_id) {
    hub_->ToNode(name, epoch,
                 link::cloud::Push{spoke, "pods", subscription_id, {link::Change::Kind::kSynced}},
                 [] {});
    Settle();
    Frame(node, link::ResourceAck{"pods", subscription_id, 1, {}});
  }

  std::vector<std::string> SessionNodes() {
    std::vector<std::string> nodes;
    for (const SessionInfo& session : hub_->Sessions()) nodes.push_back(session.node);
    return nodes;
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  CloudHubMetrics metrics_;
  std::unique_ptr<SqliteNodeRecords> records_ = *SqliteNodeRecords::Open(folder_.path(), clock_);
  HangingRecords hanging_{*records_};
  std::unique_ptr<CommandStore> commands_ =
      *SqliteCommandStore::Open(folder_.File("commands.db"), {.count_max = 3}, 0, clock_);
  std::unique_ptr<SessionHub> hub_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_SESSION_HUB_FIXTURE_H_
