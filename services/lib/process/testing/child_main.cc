// A service whose steps take as long as the test asks, for run_test.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"
#include "services/lib/process/stop.h"

namespace {

// Prints each step on standard output; hangs in the step that the test names.
class ChildApp final : public skerry::process::App {
 public:
  explicit ChildApp(std::string hang) : hang_(std::move(hang)) {}

  absl::Status Start() override {
    Step("start");
    if (hang_ == "fail") return absl::UnavailableError("port 1 is taken");
    if (hang_ == "wait") {
      while (!skerry::process::AwaitStop(absl::Seconds(1))) continue;
      return absl::CancelledError("told to end");
    }
    if (hang_ == "cancelled") return absl::CancelledError("by nobody");
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
  skerry::config::CommonConfig common;
  std::string hang;
  skerry::config::Schema schema("child", "A service for tests.");
  skerry::config::AddCommon(schema, common);
  schema.Add("hang", &hang, "The step that never ends");
  return skerry::process::RunService(
      argc, argv, schema, common,
      [&hang](const skerry::log::Logger&) { return std::make_unique<ChildApp>(hang); });
}
