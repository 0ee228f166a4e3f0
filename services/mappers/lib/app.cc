#include "services/mappers/lib/app.h"

#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/process/readiness.h"
#include "services/lib/rpc/server.h"
#include "services/mappers/lib/mapper.h"
#include "services/mappers/lib/mapper_service.h"
#include "services/mappers/lib/method_service.h"
#include "services/mappers/lib/metrics.h"

namespace skerry::mapper {
namespace {

// Calls only wait for the mapper's executor, which never blocks.
constexpr size_t kPoolThreads = 1;
constexpr size_t kPoolQueueMax = 256;

MapperConfig WithAddresses(MapperConfig config) {
  FillAddresses(config);
  return config;
}

}  // namespace

// In order of construction; destroyed in reverse.
struct MapperApp::Parts {
  explicit Parts(const std::string& name) : registry(name) {}

  metrics::Registry registry;
  MapperMetrics metrics{registry};
  process::Readiness readiness;
  std::unique_ptr<process::Readiness::Token> registered;
  std::unique_ptr<Mapper> mapper;
  std::unique_ptr<exec::ThreadPool> pool;
  std::unique_ptr<MapperServiceImpl> service;
  std::unique_ptr<MethodServiceImpl> methods;
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<metrics::OpsServer> ops;
};

MapperApp::MapperApp(MapperConfig config, Driver& driver, Clock& clock, log::Logger log)
    : config_(WithAddresses(std::move(config))),
      driver_(driver),
      clock_(clock),
      log_(std::move(log)),
      parts_(std::make_unique<Parts>(config_.name)) {}

MapperApp::~MapperApp() { Stop(); }

absl::Status MapperApp::Start() {
  Parts& p = *parts_;
  p.registered = p.readiness.Register("registration with twin-svc");
  const MapperOptions options{
      .name = config_.name,
      .version = BuildVersion(),
      .protocol = config_.protocol,
      .socket_path = std::string(absl::StripPrefix(config_.listen, "unix:")),
      .twin_address = config_.twin_address,
      .devices_max = static_cast<size_t>(config_.devices_max),
      // Mappers of a box that start together must not come to twin-svc in step.
      .seed = static_cast<uint64_t>(absl::ToUnixNanos(clock_.Now())) ^
              static_cast<uint64_t>(getpid()) << 48};
  SKERRY_ASSIGN_OR_RETURN(p.mapper,
                          Mapper::Create(options, driver_, clock_, p.metrics, log_,
                                         [&p](bool registered) { p.registered->Set(registered); }));
  p.pool = std::make_unique<exec::ThreadPool>("mapper-pool", kPoolThreads, kPoolQueueMax);
  p.service = std::make_unique<MapperServiceImpl>(*p.mapper, *p.pool);
  p.methods = std::make_unique<MethodServiceImpl>(*p.mapper);
  SKERRY_ASSIGN_OR_RETURN(p.server,
                          rpc::Server::Create({.listen = config_.listen, .registry = &p.registry},
                                              {p.service.get(), p.methods.get()}));
  SKERRY_ASSIGN_OR_RETURN(p.ops,
                          metrics::OpsServer::Create(config_.common.ops_listen, p.registry,
                                                     [&p] { return p.readiness.WaitingFor(); }));
  p.server->SetServing(true);
  p.mapper->Start();
  log_.Info("serving", {{"address", p.server->address()}, {"protocol", config_.protocol}});
  return absl::OkStatus();
}

void MapperApp::Drain(absl::Time deadline) {
  Parts& p = *parts_;
  if (p.server == nullptr) return;
  p.server->SetServing(false);
  p.server->Shutdown(deadline);
}

void MapperApp::Stop() {
  Parts& p = *parts_;
  p.ops.reset();
  p.server.reset();
  if (p.pool != nullptr) p.pool->Stop();
  if (p.mapper != nullptr) p.mapper->Stop();
  p.service.reset();
  p.methods.reset();
  p.pool.reset();
  p.mapper.reset();
}

process::Readiness& MapperApp::readiness() { return parts_->readiness; }

std::map<std::string, std::string> MapperApp::addresses() const {
  std::map<std::string, std::string> addresses;
  if (parts_->server != nullptr) addresses["api"] = parts_->server->address();
  if (parts_->ops != nullptr) addresses["ops"] = parts_->ops->address();
  return addresses;
}

int RunMapper(int argc, char** argv, absl::string_view name, absl::string_view help,
              absl::string_view protocol, Driver& driver) {
  SystemClock clock;
  MapperConfig config;
  config.name = std::string(name);
  config.protocol = std::string(protocol);
  config::Schema schema(name, help);
  Declare(schema, config);
  return process::RunService(argc, argv, schema, config.common, [&](const log::Logger& log) {
    return std::make_unique<MapperApp>(config, driver, clock, log);
  });
}

}  // namespace skerry::mapper
