#include "tools/skerryctl/doctor/box_config.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "services/lib/config/config.h"

namespace skerry::skerryctl {
namespace {

template <typename Config>
std::optional<Config> Load(const std::string& service, const std::string& path, bool required,
                           std::vector<ConfigFile>& files) {
  if (!required && access(path.c_str(), F_OK) != 0) return std::nullopt;
  Config config;
  config::Schema schema(service, "");
  Declare(schema, config);  // Of the service's own namespace.
  const std::string flag = absl::StrCat("--config=", path);
  const char* const arguments[] = {service.c_str(), flag.c_str()};
  const absl::Status loaded = schema.Load(2, arguments).status();
  files.push_back({.path = path, .loaded = loaded});
  if (!loaded.ok()) return std::nullopt;
  return config;
}

}  // namespace

BoxConfig LoadBoxConfig(const std::string& folder) {
  BoxConfig box;
  box.edgehub =
      Load<edgehub::EdgeHubConfig>("edgehub-svc", folder + "/edgehub.yaml", true, box.files);
  box.meta =
      Load<edgemeta::MetaConfig>("edge-meta-svc", folder + "/edge-meta.yaml", true, box.files);
  box.twin = Load<twin::TwinConfig>("twin-svc", folder + "/twin.yaml", false, box.files);
  box.eventbus =
      Load<eventbus::BusConfig>("eventbus-svc", folder + "/eventbus.yaml", false, box.files);
  box.edged = Load<edged::EdgedConfig>("edged-svc", folder + "/edged.yaml", false, box.files);
  if (box.edgehub.has_value() && box.edgehub->listen.empty()) {
    box.edgehub->listen = absl::StrCat("unix:", box.edgehub->run_dir, "/edgehub.sock");
  }
  if (box.meta.has_value()) edgemeta::FillAddresses(*box.meta);
  if (box.twin.has_value()) twin::FillAddresses(*box.twin);
  if (box.eventbus.has_value()) eventbus::FillDefaults(*box.eventbus);
  if (box.edged.has_value()) edged::FillDefaults(*box.edged);
  return box;
}

}  // namespace skerry::skerryctl
