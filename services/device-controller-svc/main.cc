// device-controller-svc: devices to the edge, their twins and readings back.
#include <memory>

#include "services/device-controller-svc/app.h"
#include "services/device-controller-svc/config.h"
#include "services/lib/config/config.h"
#include "services/lib/log/logger.h"
#include "services/lib/process/run.h"

int main(int argc, char** argv) {
  skerry::devicecontroller::DeviceControllerConfig config;
  skerry::config::Schema schema("device-controller-svc",
                                "Devices to edge nodes, their twins and readings back.");
  skerry::devicecontroller::Declare(schema, config);
  return skerry::process::RunService(
      argc, argv, schema, config.common, [&](const skerry::log::Logger& log) {
        return std::make_unique<skerry::devicecontroller::DeviceControllerApp>(config, log);
      });
}
