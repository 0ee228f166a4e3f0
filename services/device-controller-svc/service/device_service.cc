#include "services/device-controller-svc/service/device_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "services/device-controller-svc/service/device_import.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::devicecontroller {
namespace {

class DeviceServiceImpl final : public v1::DeviceService::CallbackService {
 public:
  DeviceServiceImpl(RegistryStore& registry, DeviceWatches& watches, DeviceObjects& objects,
                    DeviceModels& models, std::function<void(const DeviceRecord&)> on_switched,
                    exec::ThreadPool& pool, ServiceMetrics& metrics, log::Logger log)
      : registry_(registry),
        watches_(watches),
        objects_(objects),
        models_(models),
        on_switched_(std::move(on_switched)),
        pool_(pool),
        metrics_(metrics),
        log_(std::move(log)) {}

  grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                      const v1::GetDeviceRequest* request,
                                      v1::Device* response) override {
    return rpc::RunUnary(
        context, pool_, [this, request, response](const rpc::CallScope&) -> absl::Status {
          SKERRY_ASSIGN_OR_RETURN(const DeviceName device,
                                  ParseDeviceResource("name", request->name()));
          SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> record, registry_.Get(device));
          if (!record.has_value()) return DeviceUnknown(device);
          *response = ToProto(*record);
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context,
                                        const v1::ListDevicesRequest* request,
                                        v1::ListDevicesResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return List(*request, *response);
    });
  }

  grpc::ServerWriteReactor<v1::WatchDevicesResponse>* WatchDevices(
      grpc::CallbackServerContext* context, const v1::WatchDevicesRequest* request) override {
    return rpc::AcceptWriter<v1::WatchDevicesResponse>(
        context, {},
        [this, request](const rpc::CallScope&,
                        std::shared_ptr<DeviceWatches::ResponseStream> stream) {
          return watches_.Open(*request, std::move(stream));
        });
  }

  grpc::ServerUnaryReactor* EnableDevice(grpc::CallbackServerContext* context,
                                         const v1::EnableDeviceRequest* request,
                                         v1::Device* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      return Switch(request->name(), true, "", request->etag(), scope, *response);
    });
  }

  grpc::ServerUnaryReactor* DisableDevice(grpc::CallbackServerContext* context,
                                          const v1::DisableDeviceRequest* request,
                                          v1::Device* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      return Switch(request->name(), false, request->reason(), request->etag(), scope, *response);
    });
  }

  grpc::ServerUnaryReactor* BulkImportDevices(grpc::CallbackServerContext* context,
                                              const v1::BulkImportDevicesRequest* request,
                                              v1::BulkImportDevicesResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      return ImportDevices(*request, scope, objects_, models_, metrics_, *response);
    });
  }

 private:
  absl::Status List(const v1::ListDevicesRequest& request, v1::ListDevicesResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(const size_t size, PageSize(request.page_size()));
    DeviceFilter filter{.node = request.node(), .model = request.model()};
    SKERRY_ASSIGN_OR_RETURN(filter.device_namespace, ParseParent("parent", request.parent()));
    if (request.has_enabled()) filter.enabled = request.enabled();
    const std::string scope =
        TokenScope({"devices", request.parent(), request.node(), request.model(),
                    request.has_enabled() ? absl::StrCat(request.enabled()) : ""});
    std::optional<DeviceName> after;
    if (!request.page_token().empty()) {
      SKERRY_ASSIGN_OR_RETURN(const std::string key,
                              watch::DecodePageToken(request.page_token(), scope));
      SKERRY_ASSIGN_OR_RETURN(after, DeviceName::Parse(key));
    }
    // Records are small: a page of 1,000 is below 2 MiB but where reasons are long.
    size_t bytes = 0;
    while (true) {
      const size_t wanted = std::min(kChunk, size - static_cast<size_t>(response.devices_size()));
      SKERRY_ASSIGN_OR_RETURN(const std::vector<DeviceRecord> records,
                              registry_.List(filter, after, wanted));
      for (const DeviceRecord& record : records) {
        v1::Device& device = *response.add_devices();
        device = ToProto(record);
        bytes += device.ByteSizeLong();
        after = record.object.device;
      }
      if (records.size() < wanted) return absl::OkStatus();
      if (static_cast<size_t>(response.devices_size()) == size || bytes > kPageBytesMax) break;
    }
    SKERRY_ASSIGN_OR_RETURN(const std::vector<DeviceRecord> more, registry_.List(filter, after, 1));
    if (!more.empty()) response.set_next_page_token(watch::EncodePageToken(scope, after->value()));
    return absl::OkStatus();
  }

  absl::Status Switch(const std::string& name, bool enabled, const std::string& reason,
                      const std::string& etag, const rpc::CallScope& scope, v1::Device& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseDeviceResource("name", name));
    SKERRY_ASSIGN_OR_RETURN(
        const DeviceRecord record,
        registry_.SetEnabled(device, enabled, reason,
                             etag.empty() ? std::nullopt : std::make_optional(etag)));
    log_.Info(enabled ? "device enabled" : "device disabled",
              {{"device", device.value()}, {"operator", scope.peer.common_name}});
    if (on_switched_) on_switched_(record);
    watches_.Publish(device);
    response = ToProto(record);
    return absl::OkStatus();
  }

  RegistryStore& registry_;
  DeviceWatches& watches_;
  DeviceObjects& objects_;
  DeviceModels& models_;
  const std::function<void(const DeviceRecord&)> on_switched_;
  exec::ThreadPool& pool_;
  ServiceMetrics& metrics_;
  const log::Logger log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDeviceService(
    RegistryStore& registry, DeviceWatches& watches, DeviceObjects& objects, DeviceModels& models,
    std::function<void(const DeviceRecord&)> on_switched, exec::ThreadPool& pool,
    ServiceMetrics& metrics, log::Logger log) {
  return std::make_unique<DeviceServiceImpl>(registry, watches, objects, models,
                                             std::move(on_switched), pool, metrics, std::move(log));
}

}  // namespace skerry::devicecontroller
