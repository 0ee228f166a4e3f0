// A service whose steps take as long as the test asks, for run_test.
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/time/clock.h"
#include "services/lib/process/run.h"

namespace {

// Prints each step on standard output; hangs in the step that the test names.
class ChildApp final : public skerry::process::App {
 public:
  explicit ChildApp(std::string hang) : hang_(std::move(hang)) {}

  absl::Status Start() override {
    Step("start");
    if (hang_ == "fail") return absl::UnavailableError("port 1 is taken");
    return absl::OkStatus();
  }
  void Drain(absl::Time deadline) override {
    Step(deadline > absl::Now() ? "drain" : "drain without time");
  }
  void Stop() override { Step("stop"); }
  skerry::process::Readiness& readiness() override { return readiness_; }
  std::map<std::string, std::string> addresses() const override {
    return {{"api", "unix:/run/\"x\""}, {"ops", "h:1"}};
  }

 private:
  void Step(const std::string& name) {
    std::printf("%s\n", name.c_str());
    std::fflush(stdout);
    while (hang_ == name) pause();
  }

  const std::string hang_;
  skerry::process::Readiness readiness_;
};

}  // namespace

int main(int argc, char** argv) {
  skerry::process::Init();
  skerry::config::CommonConfig config;
  config.addresses_file = argv[2];
  config.drain_timeout = absl::Seconds(5);
  ChildApp app(argv[1]);
  return skerry::process::Run(app, config,
                              skerry::log::Logger::Create("child", skerry::log::Level::kInfo));
}
