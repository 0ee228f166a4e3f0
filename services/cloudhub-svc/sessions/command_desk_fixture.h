// The desk without sessions, over a store that answers when the test says so.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_FIXTURE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_FIXTURE_H_

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/cloudhub-svc/store/sqlite_command_store.h"
#include "services/cloudhub-svc/testing/fakes.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {

// A store that fails, and that others change.
class SharedStore final : public CommandStore {
 public:
  explicit SharedStore(CommandStore& store) : store_(store) {}

  absl::StatusOr<bool> Insert(const StoredCommand& command) override {
    return store_.Insert(command);
  }
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view node,
                                                    absl::string_view key) override {
    if (!find_fails.ok()) return find_fails;
    return store_.Find(node, key);
  }
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view node) override {
    if (!unended_fails.ok()) return unended_fails;
    return store_.Unended(node);
  }
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view node, absl::string_view after,
                                                  size_t count_max) override {
    return store_.List(node, after, count_max);
  }
  absl::StatusOr<bool> Update(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& progress, uint64_t epoch) override {
    if (!update_fails.ok()) return update_fails;
    if (before_update) std::exchange(before_update, nullptr)();
    return store_.Update(node, key, progress, epoch);
  }
  absl::StatusOr<bool> Cancel(absl::string_view node, absl::string_view key,
                              const link::CommandProgress& end) override {
    if (!update_fails.ok()) return update_fails;
    return store_.Cancel(node, key, end);
  }
  absl::StatusOr<int64_t> Sweep(absl::Duration grace, absl::Duration retention) override {
    return store_.Sweep(grace, retention);
  }

  absl::Status find_fails;
  absl::Status update_fails;
  absl::Status unended_fails;
  std::function<void()> before_update;  // Once.

 private:
  CommandStore& store_;
};

class CommandDeskTest : public ::testing::Test {
 protected:
  CommandDeskTest() : registry_("cloudhub-svc"), metrics_(registry_) {
    store_ = *SqliteCommandStore::Open(folder_.File("commands.db"), {}, 1 << 30, clock_);
    shared_ = std::make_unique<SharedStore>(*store_);
    Restart();
  }

  void Restart() {
    desk_ = std::make_unique<CommandDesk>(
        config_, *shared_, clock_, metrics_, log::Logger::Null(),
        [this](const std::string&, link::cloud::Event event) {
          if (const auto* queue = std::get_if<link::cloud::QueueCommand>(&event))
            queued_.push_back(queue->key);
          if (const auto* send = std::get_if<link::cloud::SendCommand>(&event))
            sent_.push_back(send->command.key);
          if (std::holds_alternative<link::cloud::DropCommand>(event) && !due_.empty())
            desk_->Due("edge-1", std::exchange(due_, ""));
        },
        [](const std::string&) { return uint64_t{1}; },
        [this](auto work) {
          if (store_stops_) return false;
          store_calls_.push_back(std::move(work));
          return true;
        });
  }
  // The store's next answer.
  void Answer() {
    auto work = std::move(store_calls_.front());
    store_calls_.pop_front();
    work()();
  }
  // The store answers all that it is asked.
  void Settle() {
    while (!store_calls_.empty()) Answer();
  }
  void Due(const std::string& key) {
    desk_->Due("edge-1", key);
    Settle();
  }
  void Tick() {
    desk_->Tick();
    Settle();
  }
  std::shared_ptr<absl::StatusOr<CommandInfo>> AskCancel(const std::string& key) {
    auto answer = std::make_shared<absl::StatusOr<CommandInfo>>(absl::UnknownError("none yet"));
    desk_->Cancel("edge-1", key,
                  [answer](absl::StatusOr<CommandInfo> told) { *answer = std::move(told); });
    return answer;
  }
  absl::StatusOr<CommandInfo> Cancel(const std::string& key) {
    auto answer = AskCancel(key);
    Settle();
    return *answer;
  }
  std::shared_ptr<testing::FakeWatcher> Send(const std::string& key,
                                             Delivery delivery = Delivery::kQueue,
                                             size_t bytes = 0) {
    auto watcher = AskSend(key, delivery, bytes);
    Settle();
    return watcher;
  }
  std::shared_ptr<testing::FakeWatcher> AskSend(const std::string& key,
                                                Delivery delivery = Delivery::kQueue,
                                                size_t bytes = 0) {
    CommandInfo info;
    info.delivery = delivery;
    info.command.node = "edge-1";
    info.command.key = key;
    info.command.type = "method";
    info.command.payload.assign(bytes, 'p');
    info.command.deadline = absl::Seconds(30);
    info.command.create_time = clock_.Now();
    info.command.expire_time = clock_.Now() + absl::Hours(1);
    auto watcher = std::make_shared<testing::FakeWatcher>();
    desk_->Send(std::move(info), watcher);
    return watcher;
  }

  // Another hub ends it.
  void EndElsewhere(const std::string& key) {
    link::CommandProgress ended;
    ended.stage = link::CommandStage::kDone;
    ended.at_box = true;
    ASSERT_TRUE(*store_->Update("edge-1", key, ended, 1));
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  CloudHubMetrics metrics_;
  CommandDesk::Config config_;
  std::unique_ptr<SqliteCommandStore> store_;
  std::unique_ptr<SharedStore> shared_;
  std::deque<absl::AnyInvocable<absl::AnyInvocable<void()>()>> store_calls_;
  bool store_stops_ = false;  // It answers what it was asked, and is asked no more.
  std::vector<std::string> sent_;
  std::vector<std::string> queued_;  // Into the session, in this order.
  std::string due_;                  // The session wants it when the next is dropped.
  std::unique_ptr<CommandDesk> desk_;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_FIXTURE_H_
