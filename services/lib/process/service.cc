#include "services/lib/process/service.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::process {
namespace {

std::string ConfigFile(const std::string& folder, Service& service) {
  return absl::StrCat(folder, "/", absl::StripSuffix(service.schema().service(), "-svc"), ".yaml");
}

}  // namespace

int RunService(int argc, char** argv, Service& service) {
  return RunService(argc, argv, service.schema(), service.common(),
                    [&](const log::Logger& log) { return service.MakeApp(log); });
}

int RunServices(const ServicesOptions& options,
                const std::vector<std::unique_ptr<Service>>& services, const log::Logger& log) {
  Init();
  size_t healthy = 0;
  std::vector<std::unique_ptr<App>> apps;
  std::vector<Member> members;
  for (const std::unique_ptr<Service>& service : services) {
    const std::string& name = service->schema().service();
    const std::string file = ConfigFile(options.config_dir, *service);
    if (access(file.c_str(), F_OK) != 0) {
      log.Info("service without configuration left out", {{"service", name}, {"file", file}});
      continue;
    }
    const std::string flag = absl::StrCat("--config=", file);
    const char* const arguments[] = {name.c_str(), flag.c_str()};
    const absl::StatusOr<config::Action> action = service->schema().Load(2, arguments);
    if (!action.ok()) return Fail(name, action.status());
    if (options.check_health) {
      const int code = CheckHealth(name, service->common());
      if (code != 0) return code;
      ++healthy;
      continue;
    }
    absl::StatusOr<log::Logger> service_log = StartLog(service->schema(), service->common());
    if (!service_log.ok()) return Fail(name, service_log.status());
    apps.push_back(service->MakeApp(*service_log));
    members.push_back({name, apps.back().get(), &service->common(), *std::move(service_log)});
  }
  if (healthy > 0) return 0;
  if (members.empty()) {
    return Fail("services", Error(absl::StatusCode::kInvalidArgument,
                                  absl::StrCat("config_dir '", options.config_dir,
                                               "' has no configuration of any service, as ",
                                               ConfigFile(options.config_dir, *services.front()),
                                               "; skerryctl join writes it"))
                                .Reason("NO_CONFIGURATION")
                                .Meta("config_dir", options.config_dir));
  }
  return RunAll(members, options.addresses_file);
}

}  // namespace skerry::process
