// The hub's commands: from the cloud to their takers, what happened to them to the disk.
#include <utility>

#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/lib/base/error.h"

namespace skerry::edgehub {
namespace {

namespace edge = link::edge;

}  // namespace

void EdgeHub::CommandDone(link::SpokeId spoke, edge::CommandDone done,
                          absl::AnyInvocable<void()> after) {
  executor_.Post([this, spoke, done = std::move(done), after = std::move(after)]() mutable {
    done.spoke = spoke;
    Feed(std::move(done));
    after();
  });
}

void EdgeHub::Perform(edge::BeginCommand effect) {
  edge::CommandRecord record = commands_.Begin(effect.command, effect.may_start);
  if (record.state == edge::CommandRecord::State::kRefused) {
    log_.Warning("a command was refused", record.status,
                 {{"type", effect.command.type}, {"key", effect.command.key}});
  }
  metrics_.CommandLookedUp(record.state);
  ShowCommands();
  executor_.Post([this, effect = std::move(effect), record = std::move(record)]() mutable {
    Feed(edge::CommandBegun{std::move(effect.command), effect.may_start, effect.begin,
                            std::move(record)});
  });
}

void EdgeHub::Perform(edge::FinishCommand effect) {
  absl::StatusOr<CommandStore::Finished> finished =
      commands_.Finish(effect.key, effect.status, effect.response);
  if (finished.ok()) {
    metrics_.CommandEnded(effect.status, finished->responses_dropped);
  } else {
    // Its key stays used: what was started is not started again.
    log_.Error("how a command ended can't be stored", finished.status(), {{"key", effect.key}});
    metrics_.StoreFailed("commands", finished.status());
  }
  ShowCommands();
  executor_.Post([this, key = std::move(effect.key), stored = finished.status()]() mutable {
    Feed(edge::CommandFinished{std::move(key), std::move(stored)});
    ShowCommands();
  });
}

void EdgeHub::Perform(edge::ForgetCommand effect) {
  absl::Status status = commands_.Forget(effect.key);
  if (!status.ok()) StoreFailed("commands", status);
}

void EdgeHub::Perform(edge::ReadCommand effect) {
  edge::CommandRecord record = commands_.Read(effect.key);
  if (record.state == edge::CommandRecord::State::kRefused) StoreFailed("commands", record.status);
  executor_.Post([this, effect = std::move(effect), record = std::move(record)]() mutable {
    Feed(edge::CommandRead{effect.connection, std::move(effect.key), std::move(record)});
  });
}

void EdgeHub::DropExpiredCommands() {
  absl::StatusOr<int64_t> dropped = commands_.DropExpired();
  if (!dropped.ok()) StoreFailed("commands", dropped.status());
  ShowCommands();
}

void EdgeHub::ShowCommands() { metrics_.Commands(machine_.commands(), commands_.stats()); }

}  // namespace skerry::edgehub
