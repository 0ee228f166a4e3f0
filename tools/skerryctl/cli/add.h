// Each adds its commands to the table.
#ifndef SKERRY_TOOLS_SKERRYCTL_CLI_ADD_H_
#define SKERRY_TOOLS_SKERRYCTL_CLI_ADD_H_

#include "tools/skerryctl/command/commands.h"

namespace skerry::skerryctl {

void AddJoin(Commands& commands);
void AddStatus(Commands& commands);
void AddGet(Commands& commands);
void AddTop(Commands& commands);
void AddDoctor(Commands& commands);
void AddBundle(Commands& commands);
void AddToken(Commands& commands);
void AddNode(Commands& commands);
void AddDevice(Commands& commands);
void AddDeadLetter(Commands& commands);
void AddDrain(Commands& commands);
void AddCompletion(Commands& commands);
void AddHelp(Commands& commands);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_CLI_ADD_H_
