#include "services/twin-svc/dmi/dmi_service.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/rpc/unary.h"

namespace skerry::twin {
namespace {

constexpr size_t kMetadataBytesMax = 8u << 10;
constexpr size_t kStateBytesMax = 64;
constexpr size_t kShownMax = 128;
// Of the caller's patience, for the answer's way back.
constexpr absl::Duration kMargin = absl::Milliseconds(50);

absl::Status CheckTwin(const v1beta1::Twin& twin, int index) {
  const std::string field = absl::StrCat("reportedDevice.twins[", index, "]");
  if (!device::IsPropertyName(twin.propertyname())) {
    return InvalidField(absl::StrCat(field, ".propertyName"),
                        absl::CHexEscape(twin.propertyname().substr(0, kShownMax)),
                        "give 1 to 128 characters of A-Z a-z 0-9 - _ . , : / @ #")
        .Reason("PROPERTY_NAME");
  }
  size_t bytes = 0;
  for (const auto& [key, text] : twin.reported().metadata()) bytes += key.size() + text.size();
  if (bytes <= kMetadataBytesMax) return absl::OkStatus();
  return InvalidField(absl::StrCat(field, ".reported.metadata"), absl::StrCat(bytes, " bytes"),
                      absl::StrCat("give at most ", kMetadataBytesMax));
}

}  // namespace

absl::StatusOr<Write> WriteFrom(const v1beta1::ReportDeviceStatusRequest& request,
                                const std::string& writer, absl::Time now) {
  const auto& twins = request.reporteddevice().twins();
  if (twins.empty() || static_cast<size_t>(twins.size()) > device::kPropertiesMax) {
    return InvalidField("reportedDevice.twins", absl::StrCat(twins.size()),
                        absl::StrCat("give 1 to ", device::kPropertiesMax));
  }
  Write write;
  for (int i = 0; i < twins.size(); ++i) {
    const v1beta1::Twin& twin = twins[i];
    SKERRY_RETURN_IF_ERROR(CheckTwin(twin, i));
    const v1beta1::TwinProperty& reported = twin.reported();
    if (reported.value().empty() && reported.metadata().empty()) continue;
    write.reported[twin.propertyname()] =
        Value{.value = reported.value(),
              .metadata = {reported.metadata().begin(), reported.metadata().end()},
              .writer = writer,
              .time = now};
  }
  return write;
}

absl::Status CheckState(const std::string& state) {
  if (!state.empty() && state.size() <= kStateBytesMax) return absl::OkStatus();
  return InvalidField("state", absl::CHexEscape(state.substr(0, kShownMax)),
                      "give 1 to 64 bytes, as a rule online, offline, ok, unknown or unhealthy");
}

grpc::ServerUnaryReactor* DmiServiceImpl::MapperRegister(
    grpc::CallbackServerContext* context, const v1beta1::MapperRegisterRequest* request,
    v1beta1::MapperRegisterResponse* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope& scope, auto finish) {
    mappers_.Register(*request, scope.deadline - absl::Now() - kMargin,
                      [response, finish = std::move(finish)](
                          absl::StatusOr<v1beta1::MapperRegisterResponse> answer) mutable {
                        if (answer.ok()) *response = *std::move(answer);
                        finish(answer.status());
                      });
  });
}

grpc::ServerUnaryReactor* DmiServiceImpl::ReportDeviceStatus(
    grpc::CallbackServerContext* context, const v1beta1::ReportDeviceStatusRequest* request,
    v1beta1::ReportDeviceStatusResponse*) {
  return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
    auto end = [this, finish = std::move(finish)](const absl::Status& status) mutable {
      (status.ok() ? metrics_.reports_ok : metrics_.reports_refused).Increment();
      finish(status);
    };
    const absl::StatusOr<DeviceName> device =
        DeviceName::Make(request->devicenamespace(), request->devicename());
    if (!device.ok()) return end(device.status());
    absl::StatusOr<Write> write = WriteFrom(*request, mappers_.ReportedBy(*device), clock_.Now());
    if (!write.ok()) return end(write.status());
    twins_.Submit(*device, *std::move(write), false,
                  [end = std::move(end)](const absl::StatusOr<Written>& written) mutable {
                    end(written.status());
                  });
  });
}

grpc::ServerUnaryReactor* DmiServiceImpl::ReportDeviceStates(
    grpc::CallbackServerContext* context, const v1beta1::ReportDeviceStatesRequest* request,
    v1beta1::ReportDeviceStatesResponse*) {
  return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
    auto end = [this, finish = std::move(finish)](const absl::Status& status) mutable {
      (status.ok() ? metrics_.reports_ok : metrics_.reports_refused).Increment();
      finish(status);
    };
    if (states_ == nullptr) return end(absl::UnimplementedError("states of devices are not kept"));
    const absl::StatusOr<DeviceName> device =
        DeviceName::Make(request->devicenamespace(), request->devicename());
    if (!device.ok()) return end(device.status());
    const absl::Status good = CheckState(request->state());
    if (!good.ok()) return end(good);
    states_->ReportState(*device, request->state(), mappers_.ReportedBy(*device), std::move(end));
  });
}

}  // namespace skerry::twin
