// The configuration of a box's services, as they load it.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_BOX_CONFIG_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_BOX_CONFIG_H_

#include <optional>
#include <string>
#include <vector>

#include "services/edge-meta-svc/config.h"
#include "services/edged-svc/config.h"
#include "services/edgehub-svc/config.h"
#include "services/eventbus-svc/config.h"
#include "services/twin-svc/config.h"
#include "tools/skerryctl/doctor/core/observations.h"

namespace skerry::skerryctl {

// Each with its defaults filled in; nullopt where the file is missing or can't be loaded.
struct BoxConfig {
  std::optional<edgehub::EdgeHubConfig> edgehub;
  std::optional<edgemeta::MetaConfig> meta;
  std::optional<twin::TwinConfig> twin;
  std::optional<eventbus::BusConfig> eventbus;
  std::optional<edged::EdgedConfig> edged;
  std::vector<ConfigFile> files;  // Those that are there, and those that have to be.
};

// The files that skerryctl join wrote, and the services' variables (SKERRY_EDGED_…) where this
// process was given them, too; flags that services are started with are not seen. At most 1 MiB a
// file.
BoxConfig LoadBoxConfig(const std::string& folder);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_BOX_CONFIG_H_
