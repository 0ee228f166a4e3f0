// What hubs say of a command.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMAND_WORDS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMAND_WORDS_H_

#include <string>

#include "api/skerry/cloudhub/v1/command_service.pb.h"
#include "services/device-controller-svc/service/core/command_course.h"

namespace skerry::devicecontroller {

CommandStage StageOf(const cloudhub::v1::Command& command);

// Of two hubs' words for the same command the higher one counts: it came further there.
int RankOf(const cloudhub::v1::Command& command);

// "nodes/{node}/commands/{key}".
std::string CommandName(const std::string& node, const std::string& key);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMAND_WORDS_H_
