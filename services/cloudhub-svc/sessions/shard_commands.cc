// The commands of a Shard's nodes.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "services/cloudhub-svc/sessions/node_session.h"
#include "services/cloudhub-svc/sessions/shard.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

constexpr absl::Duration kSweepInterval = absl::Seconds(5);

}  // namespace

void Shard::SendCommand(CommandInfo info, std::shared_ptr<CommandWatcher> watcher) {
  const bool posted = executor_.Post([this, info = std::move(info), watcher]() mutable {
    if (draining_) return watcher->Close(Draining());
    desk_.Send(std::move(info), std::move(watcher));
    ArmDesk();
  });
  if (!posted) watcher->Close(Draining());
}

absl::StatusOr<CommandInfo> Shard::FindCommand(const std::string& node, const std::string& key) {
  std::optional<CommandInfo> known;
  if (!executor_.Run([&] { known = desk_.Find(node, key); })) return Draining();
  if (known.has_value()) return *std::move(known);
  return CommandDesk::FindStored(deps_.commands, node, key);
}

absl::StatusOr<std::vector<CommandInfo>> Shard::ListCommands(const std::string& node,
                                                             const std::string& after,
                                                             size_t count_max) {
  // First: what is only in the store now may be in memory then, but not the other way round.
  SKERRY_ASSIGN_OR_RETURN(std::vector<StoredCommand> stored,
                          deps_.commands.List(node, after, count_max));
  absl::StatusOr<std::vector<CommandInfo>> found = Draining();
  executor_.Run([&] { found = desk_.List(node, after, count_max, std::move(stored)); });
  return found;
}

absl::StatusOr<CommandInfo> Shard::CancelCommand(const std::string& node, const std::string& key) {
  absl::StatusOr<CommandInfo> cancelled = Draining();
  absl::Notification answered;
  const bool posted = executor_.Post([&] {
    desk_.Cancel(node, key, [&](absl::StatusOr<CommandInfo> answer) {
      cancelled = std::move(answer);
      answered.Notify();
    });
    ArmDesk();
  });
  if (posted) answered.WaitForNotification();
  return cancelled;
}

void Shard::ReloadCommands(const std::string& node) {
  executor_.Post([this, node] { desk_.Reload(node); });
}

void Shard::ReloadAllCommands() {
  executor_.Post([this] { desk_.ReloadAll(); });
}

bool Shard::OnCommandStore(absl::AnyInvocable<absl::AnyInvocable<void()>()> work) {
  ++store_calls_;
  return store_.Post([this, work = std::move(work)]() mutable {
    executor_.Post([this, then = work()]() mutable {
      then();
      ArmDesk();
    });
  });
}

void Shard::SweepCommands() {
  desk_.Sweep();
  executor_.PostAfter(kSweepInterval, [this] { SweepCommands(); });
}

// As Arm: moved only to fire earlier.
void Shard::ArmDesk() {
  const absl::Duration due = desk_.NextWake();
  if (due >= desk_timer_due_) return;
  if (desk_timer_ != 0) executor_.Cancel(desk_timer_);
  desk_timer_due_ = due;
  desk_timer_ =
      executor_.PostAfter(std::max(absl::ZeroDuration(), due - deps_.clock.Monotonic()), [this] {
        desk_timer_ = 0;
        desk_timer_due_ = absl::InfiniteDuration();
        desk_.Tick();
        ArmDesk();
      });
}

}  // namespace skerry::cloudhub
