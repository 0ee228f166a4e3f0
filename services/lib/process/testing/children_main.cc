// Two services in one process, for service_test: a-svc, then b-svc.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/service.h"

namespace children {

struct ChildConfig {
  skerry::config::CommonConfig common;
  std::string name;
  bool fails = false;
  bool restarts = false;
};

void Declare(skerry::config::Schema& schema, ChildConfig& config) {
  skerry::config::AddCommon(schema, config.common);
  schema.Add("name", &config.name, "What its steps begin with").Required();
  schema.Add("fails", &config.fails, "Whether it cannot start");
  schema.Add("restarts", &config.restarts, "Whether it asks for a restart once it has started");
}

// Prints each step on standard output.
class ChildApp final : public skerry::process::App {
 public:
  ChildApp(ChildConfig config, skerry::Clock&, skerry::log::Logger) : config_(std::move(config)) {}

  absl::Status Start() override {
    Step("start");
    if (config_.fails) return absl::UnavailableError("port 1 is taken");
    if (config_.restarts) skerry::process::RequestStop();
    return absl::OkStatus();
  }
  void Drain(absl::Time) override { Step("drain"); }
  void Stop() override { Step("stop"); }
  skerry::process::Readiness& readiness() override { return readiness_; }
  std::map<std::string, std::string> addresses() const override {
    return {{"api", "unix:/" + config_.name}};
  }

 private:
  void Step(absl::string_view name) {
    std::printf("%s %.*s\n", config_.name.c_str(), static_cast<int>(name.size()), name.data());
    std::fflush(stdout);
  }

  const ChildConfig config_;
  skerry::process::Readiness readiness_;
};

using Child = skerry::process::ServiceOf<ChildConfig, ChildApp>;

}  // namespace children

int main(int, char** argv) {
  std::vector<std::unique_ptr<skerry::process::Service>> services;
  services.push_back(std::make_unique<children::Child>("a-svc", "The first."));
  services.push_back(std::make_unique<children::Child>("b-svc", "The second."));
  return skerry::process::RunServices(
      {.config_dir = argv[1], .addresses_file = argv[2]}, services,
      skerry::log::Logger::Create("children", skerry::log::Level::kInfo));
}
