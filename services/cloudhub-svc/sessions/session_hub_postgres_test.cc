// Hubs on one PostgreSQL, with what they hear of each other: commands queued anywhere, for a node
// that goes from one to the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/join/node_watch.h"
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/cloudhub-svc/join/postgres_node_records.h"
#include "services/cloudhub-svc/sessions/session_hub.h"
#include "services/cloudhub-svc/store/command_watch.h"
#include "services/cloudhub-svc/store/postgres_command_store.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using link::CommandReceipt;
using link::CommandStage;
using testing::HasReason;
using testing::IsOk;

constexpr absl::Duration kTimeout = absl::Seconds(60);

// What is on the box's disk: which commands were executed, in this order.
class Device {
 public:
  void Execute(const std::string& key) {
    absl::MutexLock lock(&mutex_);
    if (std::count(executed_.begin(), executed_.end(), key) == 0) executed_.push_back(key);
  }
  bool Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return executed_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), kTimeout);
  }
  std::vector<std::string> executed() {
    absl::MutexLock lock(&mutex_);
    return executed_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> executed_ ABSL_GUARDED_BY(mutex_);
};

// A connection of the box. One that is silent executes, and says nothing.
class BoxLink final : public NodeLink {
 public:
  BoxLink(SessionHub& hub, Device& device, bool silent)
      : hub_(hub), device_(device), silent_(silent) {}

  void Hello(SessionHub::Connection connection) {
    connection_ = std::move(connection);
    hub_.Frame(connection_, link::Hello{1, "boot", "journal", "v1", 0}, [] {});
  }
  void Send(link::CloudFrame frame) override {
    if (std::holds_alternative<link::Welcome>(frame)) {
      {
        absl::MutexLock lock(&mutex_);
        welcome_ = true;
      }
      Say(link::CommandTakers{{"method"}});
    }
    const auto* command = std::get_if<link::Command>(&frame);
    if (command == nullptr) return;
    device_.Execute(command->key);
    if (silent_) return;
    Say(CommandReceipt{command->key, CommandReceipt::Stage::kDelivered, absl::OkStatus(), ""});
    Say(CommandReceipt{command->key, CommandReceipt::Stage::kDone, absl::OkStatus(), "opened"});
  }
  void Close(absl::Status) override { hub_.Closed(connection_); }
  void AwaitDrained(std::function<void()> drained) override { drained(); }
  // The connection has the link, too.
  void Release() { connection_ = {}; }
  bool AwaitWelcome() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&welcome_), kTimeout);
  }

 private:
  void Say(link::EdgeFrame frame) {
    hub_.Frame(connection_, std::move(frame), [] {});
  }

  SessionHub& hub_;
  Device& device_;
  const bool silent_;
  SessionHub::Connection connection_;
  absl::Mutex mutex_;
  bool welcome_ ABSL_GUARDED_BY(mutex_) = false;
};

class Sender final : public CommandWatcher {
 public:
  bool Tell(const CommandInfo& info) override {
    absl::MutexLock lock(&mutex_);
    stage_ = info.command.progress.stage;
    accepted_ = true;
    return true;
  }
  bool Listens() const override { return true; }
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    status_ = std::move(status);
    accepted_ = closed_ = true;
  }
  // Or refused.
  bool AwaitAccepted() {
    absl::MutexLock lock(&mutex_);
    return mutex_.AwaitWithTimeout(absl::Condition(&accepted_), kTimeout);
  }
  // The last stage.
  absl::StatusOr<CommandStage> AwaitEnd(absl::Duration timeout = kTimeout) {
    absl::MutexLock lock(&mutex_);
    if (!mutex_.AwaitWithTimeout(absl::Condition(&closed_), timeout))
      return absl::DeadlineExceededError("its sender hears nothing");
    if (!status_.ok()) return status_;
    return stage_;
  }

 private:
  absl::Mutex mutex_;
  CommandStage stage_ ABSL_GUARDED_BY(mutex_) = CommandStage::kAccepted;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool accepted_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

SessionHub::Config HubConfig() {
  SessionHub::Config config;
  config.session.hub = "hub";
  config.commands.shared = true;
  return config;
}

// One of the hubs, as the app builds it.
class Replica {
 public:
  Replica(const std::string& database, Clock& clock)
      : registry_("cloudhub-svc"),
        metrics_(registry_),
        pool_({.connection = database}),
        records_(pool_, clock),
        commands_(pool_, {.count_max = 1000}, clock),
        hub_(HubConfig(), records_, commands_, clock, metrics_, log::Logger::Null()),
        node_watch_(
            pool_,
            [this](const NodeState& state) { hub_.FenceBelow(state.node, state.session_epoch); },
            registry_, log::Logger::Null()),
        command_watch_(pool_,
                       {.changed = [this](const std::string& node) { hub_.ReloadCommands(node); },
                        .missed = [this] { hub_.ReloadAllCommands(); }},
                       log::Logger::Null()) {}

  ~Replica() {
    hub_.Stop();
    for (const auto& link : links_) link->Release();
  }

  SessionHub& hub() { return hub_; }
  // Until the box is welcome.
  void Connect(Device& device, bool silent = false) {
    auto link = links_.emplace_back(std::make_shared<BoxLink>(hub_, device, silent));
    auto connection = hub_.Open({*NodeName::Parse("edge-1"), "key"}, "ipv4:127.0.0.1:1", link);
    ASSERT_THAT(connection, IsOk());
    link->Hello(*connection);
    ASSERT_TRUE(link->AwaitWelcome());
  }
  std::shared_ptr<Sender> Send(const std::string& key) {
    CommandInfo info;
    info.delivery = Delivery::kQueue;
    info.command.node = "edge-1";
    info.command.key = key;
    info.command.type = "method";
    info.command.deadline = absl::Seconds(30);
    info.command.expire_time = info.command.create_time + absl::Hours(1);
    auto sender = std::make_shared<Sender>();
    hub_.SendCommand(std::move(info), sender);
    EXPECT_TRUE(sender->AwaitAccepted());
    return sender;
  }

 private:
  metrics::Registry registry_;
  CloudHubMetrics metrics_;
  postgres::Pool pool_;
  PostgresNodeRecords records_;
  PostgresCommandStore commands_;
  SessionHub hub_;
  NodeWatch node_watch_;
  CommandWatch command_watch_;
  std::vector<std::shared_ptr<BoxLink>> links_;
};

class SessionHubPostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = testing::LocalPostgres::Start();
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    const auto database = server_->CreateDatabase();
    ASSERT_THAT(database, IsOk());
    pool_ = std::make_unique<postgres::Pool>(postgres::PoolOptions{.connection = *database});
    ASSERT_THAT(MigrateHubTables(*pool_), IsOk());
    for (auto* replica : {&a_, &b_}) *replica = std::make_unique<Replica>(*database, clock_);
  }
  std::vector<std::string> Query(const std::string& sql) {
    std::vector<std::string> values;
    EXPECT_THAT(pool_->Transact("query", postgres::Pool::Mode::kWrite,
                                [&](pqxx::transaction_base& transaction) {
                                  values.clear();
                                  for (const pqxx::row& row : transaction.exec(sql))
                                    values.push_back(row[0].as<std::string>());
                                  return absl::OkStatus();
                                }),
                IsOk());
    return values;
  }

  std::unique_ptr<testing::LocalPostgres> server_;
  std::unique_ptr<postgres::Pool> pool_;
  testing::FakeClock clock_;
  Device device_;
  std::unique_ptr<Replica> a_;
  std::unique_ptr<Replica> b_;
};

// cloudhub-4.4
TEST_F(SessionHubPostgresTest, WhatOneReplicaQueuesTheOtherSends) {
  auto before = a_->Send("before");
  b_->Connect(device_);
  auto after = a_->Send("after");
  for (const auto& sender : {before, after, b_->Send("own")}) {
    const absl::StatusOr<CommandStage> end = sender->AwaitEnd();
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(*end, CommandStage::kDone);
  }
  EXPECT_THAT(device_.executed(), ::testing::ElementsAre("before", "after", "own"));
  const absl::StatusOr<CommandInfo> found = b_->hub().FindCommand("edge-1", "before");
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->command.progress.response, "opened");
}

// link-10.1, link-10.9: it has executed, and its hub dies with what it would have heard.
TEST_F(SessionHubPostgresTest, AReplicaIsKilledWithCommandsUnderWay) {
  b_->Connect(device_, true);
  std::vector<std::shared_ptr<Sender>> senders;
  for (int i = 0; i < 20; ++i) senders.push_back(a_->Send(absl::StrCat(i)));
  ASSERT_TRUE(device_.Await(20));
  b_ = nullptr;
  a_->Connect(device_);
  for (const auto& sender : senders) {
    const absl::StatusOr<CommandStage> end = sender->AwaitEnd();
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(*end, CommandStage::kDone);
  }
  EXPECT_EQ(device_.executed().size(), 20u);
}

// link-10.10, link-10.11
TEST_F(SessionHubPostgresTest, WhatWaitsForANodeThatIsNowhereEnds) {
  auto expires = a_->Send("expires");
  auto cancelled = a_->Send("cancelled");
  ASSERT_THAT(b_->hub().CancelCommand("edge-1", "cancelled"), IsOk());
  EXPECT_EQ(*cancelled->AwaitEnd(), CommandStage::kCancelled);
  Query("UPDATE hub_commands SET expire_time = hub_micros() WHERE stage = 0");
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(*expires->AwaitEnd(), CommandStage::kExpired);
  EXPECT_THAT(b_->hub().CancelCommand("edge-1", "expires"), HasReason("COMMAND_ENDED"));
}

// link-10.3, link-10.14: senders at both, while the node goes to and fro.
TEST_F(SessionHubPostgresTest, CommandsAreExecutedOnceInOneOrderWhereverTheNodeGoes) {
  constexpr int kCommands = 60;
  std::vector<std::vector<std::shared_ptr<Sender>>> senders(2);
  std::vector<std::thread> threads;
  for (size_t hub = 0; hub < 2; ++hub) {
    threads.emplace_back([&, hub] {
      for (int i = 0; i < kCommands; ++i)
        senders[hub].push_back((hub == 0 ? a_ : b_)->Send(absl::StrCat(hub, "-", i)));
    });
  }
  for (int i = 0; i < 10; ++i) {
    (i % 2 == 0 ? a_ : b_)->Connect(device_, i % 3 == 0);
    ASSERT_TRUE(device_.Await(static_cast<size_t>(i)));
  }
  for (std::thread& thread : threads) thread.join();
  a_->Connect(device_);
  for (const auto& of_hub : senders) {
    for (const auto& sender : of_hub) {
      const absl::StatusOr<CommandStage> end = sender->AwaitEnd();
      ASSERT_THAT(end, IsOk());
      EXPECT_EQ(*end, CommandStage::kDone);
    }
  }
  EXPECT_EQ(device_.executed(),
            Query("SELECT convert_from(key, 'UTF8') FROM hub_commands ORDER BY sequence"));
}

// What was not announced is read when the database is back.
TEST_F(SessionHubPostgresTest, NobodyWaitsInVainAfterTheDatabaseWasAway) {
  auto waits = a_->Send("a");
  Query("ALTER TABLE hub_commands DISABLE TRIGGER ALL");
  Query("UPDATE hub_commands SET stage = 5");
  Query("ALTER TABLE hub_commands ENABLE TRIGGER ALL");
  ASSERT_THAT(server_->CrashAndRestart(), IsOk());
  // The first read may find a connection that died with the server; it is repeated in a while.
  absl::StatusOr<CommandStage> end;
  const absl::Time deadline = absl::Now() + kTimeout;
  do {
    clock_.Advance(absl::Seconds(5));
    end = waits->AwaitEnd(absl::Milliseconds(100));
  } while (absl::IsDeadlineExceeded(end.status()) && absl::Now() < deadline);
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(*end, CommandStage::kExpired);
}

}  // namespace
}  // namespace skerry::cloudhub
