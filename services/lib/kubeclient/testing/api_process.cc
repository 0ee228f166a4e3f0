#include "services/lib/kubeclient/testing/api_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/check.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/curl_client.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeclient {
namespace {

constexpr absl::Duration kStartLimit = absl::Seconds(30);

}  // namespace

ApiProcess::ApiProcess(std::string binary, std::string folder, std::string manifests)
    : binary_(std::move(binary)), folder_(std::move(folder)), manifests_(std::move(manifests)) {}

ApiProcess::~ApiProcess() { Kill(); }

void ApiProcess::Start() {
  const std::string addresses = folder_ + "/api.json";
  unlink(addresses.c_str());
  std::vector<std::string> arguments = {
      binary_,         "--listen",         listen_,
      "--state_dir",   folder_ + "/state", "--kubeconfig_out_dir",
      folder_ + "/kc", "--addresses_file", addresses,
  };
  if (!manifests_.empty()) {
    arguments.push_back("--bootstrap_manifests_dir");
    arguments.push_back(manifests_);
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = folder_ + "/api.log";
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_CREAT | O_APPEND | O_WRONLY, 0600);
  SKERRY_CHECK(posix_spawn(&pid_, binary_.c_str(), &actions, nullptr, argv.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);

  const absl::Time deadline = absl::Now() + kStartLimit;
  while (absl::Now() < deadline) {
    const auto json = kubeapi::ParseJson(testing::ReadFileText(addresses));
    if (json.ok() && !kubeapi::StringAt(*json, {"api"}).empty()) {
      listen_ = kubeapi::StringAt(*json, {"api"});
      if (Open("admin")->GetRaw("/readyz", {.timeout = absl::Seconds(2)}).ok()) return;
    }
    std::this_thread::yield();
  }
  SKERRY_CHECK(false && "standalone-api-svc did not come up");
}

void ApiProcess::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::unique_ptr<Client> ApiProcess::Open(const std::string& who) const {
  auto config =
      ConfigSource::Open(absl::StrCat(folder_, "/kc/", who, ".kubeconfig"), log::Logger::Null());
  SKERRY_CHECK(config.ok());
  return std::make_unique<CurlClient>(*std::move(config), "test/1");
}

}  // namespace skerry::kubeclient
