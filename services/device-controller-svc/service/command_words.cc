#include "services/device-controller-svc/service/command_words.h"

#include "absl/strings/str_cat.h"

namespace skerry::devicecontroller {

using cloudhub::v1::Command;

CommandStage StageOf(const Command& command) {
  switch (command.stage()) {
    case Command::STAGE_SENT:
    case Command::STAGE_DELIVERED:
    case Command::STAGE_STARTED:
      return CommandStage::kUnderWay;
    case Command::STAGE_DONE:
      return CommandStage::kEnded;
    case Command::STAGE_EXPIRED:
    case Command::STAGE_CANCELLED:
      return CommandStage::kNotExecuted;
    default:
      return CommandStage::kWaiting;
  }
}

int RankOf(const Command& command) {
  switch (StageOf(command)) {
    case CommandStage::kNotExecuted:
      return 0;
    case CommandStage::kWaiting:
      return 1;
    case CommandStage::kUnderWay:
      return 2 + static_cast<int>(command.stage());
    case CommandStage::kEnded:
      return 100;
  }
  return 0;
}

std::string CommandName(const std::string& node, const std::string& key) {
  return absl::StrCat("nodes/", node, "/commands/", key);
}

}  // namespace skerry::devicecontroller
