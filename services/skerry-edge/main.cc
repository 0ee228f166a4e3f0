// Every service of the box in one binary: one set of pages for what six processes share, or one
// process for a very small box.
#include <sqlite3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/edge-meta-svc/entry.h"
#include "services/edged-svc/entry.h"
#include "services/edgehub-svc/entry.h"
#include "services/eventbus-svc/entry.h"
#include "services/lib/base/error.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/lib/process/service.h"
#include "services/lib/process/small_heap.h"
#include "services/servicebus-svc/entry.h"
#include "services/twin-svc/entry.h"

namespace skerry {
namespace {

// In order of start: each after what it follows, though none must.
std::vector<std::unique_ptr<process::Service>> EdgeServices() {
  std::vector<std::unique_ptr<process::Service>> services;
  services.push_back(edgehub::Entry());
  services.push_back(edgemeta::Entry());
  services.push_back(edged::Entry());
  services.push_back(twin::Entry());
  services.push_back(eventbus::Entry());
  services.push_back(servicebus::Entry());
  return services;
}

// Before anything is opened. A connection begins with 12 KB for small things instead of 48, and
// with the pages that it reads instead of room for twenty.
void KeepSqliteSmall() {
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 512, 24);
  sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
}

absl::string_view FileName(absl::string_view path) { return path.substr(path.rfind('/') + 1); }

// All of them in this process.
int RunAll(int argc, char** argv, const std::vector<std::unique_ptr<process::Service>>& services) {
  process::ServicesOptions options{.config_dir = "/etc/skerry"};
  std::string log_level = "info";
  config::Schema schema("skerry-edge", "Every service of the box in one process.");
  schema.Add("config_dir", &options.config_dir,
             "Folder of the services' configuration, as skerryctl join writes it; a service "
             "without a file there does not run");
  schema.Add("addresses_file", &options.addresses_file,
             "A file that receives the bound addresses of all services once all have started");
  schema.Add("log.level", &log_level, "What this log, not the services', holds")
      .OneOf({"debug", "info", "warning", "error"});
  const absl::StatusOr<config::Action> action = schema.Load(argc, argv);
  if (!action.ok()) return process::Fail(schema.service(), action.status());
  if (*action == config::Action::kExit) return 0;
  options.check_health = *action == config::Action::kCheckHealth;
  log::Level level = log::Level::kInfo;
  const absl::Status parsed = log::ParseLevel(log_level, level);
  if (!parsed.ok()) return process::Fail(schema.service(), parsed);
  return process::RunServices(options, services, log::Logger::Create(schema.service(), level));
}

// `skerry-edge SERVICE [flags]`, or the binary by the name of a service (a link, as busybox has),
// is that service; otherwise all run.
int Main(int argc, char** argv) {
  const std::vector<std::unique_ptr<process::Service>> services = EdgeServices();
  const bool by_argument = argc > 1 && argv[1][0] != '-';
  const absl::string_view wanted = by_argument ? argv[1] : FileName(argv[0]);
  for (const std::unique_ptr<process::Service>& service : services) {
    if (service->schema().service() != wanted) continue;
    return by_argument ? process::RunService(argc - 1, argv + 1, *service)
                       : process::RunService(argc, argv, *service);
  }
  if (!by_argument) return RunAll(argc, argv, services);
  std::string names;
  for (const auto& service : services) absl::StrAppend(&names, " ", service->schema().service());
  return process::Fail("skerry-edge",
                       Error(absl::StatusCode::kInvalidArgument,
                             absl::StrCat("'", wanted, "' is no service of the box; these are:",
                                          names, "; without a name all run in one process"))
                           .Reason("UNKNOWN_SERVICE"));
}

}  // namespace
}  // namespace skerry

int main(int argc, char** argv) {
  skerry::process::DropThreadCaches(argv);
  skerry::process::SmallHeap heap;
  skerry::KeepSqliteSmall();
  return skerry::Main(argc, argv);
}
