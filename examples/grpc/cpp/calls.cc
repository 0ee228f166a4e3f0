#include "examples/grpc/cpp/calls.h"

#include <iostream>
#include <map>

#include "api/google/rpc/error_details.pb.h"
#include "api/google/rpc/status.pb.h"
#include "api/grpc/health/v1/health.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/device_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "api/skerry/devicecontroller/v1/method_service.grpc.pb.h"

namespace skerry::examples {
namespace {

namespace v1 = devicecontroller::v1;

constexpr std::chrono::seconds kPatience(10);
constexpr std::chrono::seconds kMethodPatience(40);  // The device itself has 30 s.

void SetPatience(grpc::ClientContext* context, std::chrono::seconds patience) {
  context->set_deadline(std::chrono::system_clock::now() + patience);
}

std::string NameOf(grpc::StatusCode code) {
  static const auto* const kNames = new std::map<grpc::StatusCode, std::string>{
      {grpc::StatusCode::CANCELLED, "CANCELLED"},
      {grpc::StatusCode::INVALID_ARGUMENT, "INVALID_ARGUMENT"},
      {grpc::StatusCode::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"},
      {grpc::StatusCode::NOT_FOUND, "NOT_FOUND"},
      {grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS"},
      {grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED"},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED"},
      {grpc::StatusCode::FAILED_PRECONDITION, "FAILED_PRECONDITION"},
      {grpc::StatusCode::ABORTED, "ABORTED"},
      {grpc::StatusCode::OUT_OF_RANGE, "OUT_OF_RANGE"},
      {grpc::StatusCode::UNIMPLEMENTED, "UNIMPLEMENTED"},
      {grpc::StatusCode::INTERNAL, "INTERNAL"},
      {grpc::StatusCode::UNAVAILABLE, "UNAVAILABLE"},
      {grpc::StatusCode::DATA_LOSS, "DATA_LOSS"},
      {grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED"}};
  const auto found = kNames->find(code);
  return found == kNames->end() ? "UNKNOWN" : found->second;
}

std::string ValueOf(bool there, const v1::TwinValue& value) { return there ? value.value() : "-"; }

}  // namespace

grpc::Status Health(const Channel& channel) {
  grpc::ClientContext context;
  SetPatience(&context, kPatience);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("skerry.devicecontroller.v1.DeviceService");
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status =
      grpc::health::v1::Health::NewStub(channel)->Check(&context, request, &response);
  if (status.ok()) {
    std::cout << grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status())
              << "\n";
  }
  return status;
}

grpc::Status List(const Channel& channel, const std::string& parent) {
  const auto stub = v1::DeviceService::NewStub(channel);
  v1::ListDevicesRequest request;
  request.set_parent(parent);
  do {
    grpc::ClientContext context;  // Each call needs one of its own.
    SetPatience(&context, kPatience);
    v1::ListDevicesResponse page;
    const grpc::Status status = stub->ListDevices(&context, request, &page);
    if (!status.ok()) return status;
    for (const v1::Device& device : page.devices()) {
      std::cout << device.name() << " node=" << device.node() << " model=" << device.model()
                << (device.enabled() ? " enabled" : " disabled") << "\n";
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

grpc::Status Watch(const Channel& channel, const std::string& parent,
                   std::chrono::seconds patience) {
  grpc::ClientContext context;
  SetPatience(&context, patience);
  v1::WatchDevicesRequest request;
  request.set_parent(parent);
  const auto stream = v1::DeviceService::NewStub(channel)->WatchDevices(&context, request);
  v1::WatchDevicesResponse event;
  while (stream->Read(&event)) {
    switch (event.event_case()) {
      case v1::WatchDevicesResponse::kUpserted:
        std::cout << "upserted " << event.upserted().name() << std::endl;
        break;
      case v1::WatchDevicesResponse::kDeleted:
        std::cout << "deleted " << event.deleted().name() << std::endl;
        break;
      case v1::WatchDevicesResponse::kSynced:
        std::cout << "synced" << std::endl;
        break;
      case v1::WatchDevicesResponse::EVENT_NOT_SET:
        break;  // A kind of event that is newer than this program.
    }
  }
  const grpc::Status status = stream->Finish();
  return status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ? grpc::Status::OK : status;
}

grpc::Status Get(const Channel& channel, const std::string& device) {
  grpc::ClientContext context;
  SetPatience(&context, kPatience);
  v1::GetDeviceTwinRequest request;
  request.set_name(device + "/twin");
  v1::DeviceTwin twin;
  const grpc::Status status =
      v1::DeviceTwinService::NewStub(channel)->GetDeviceTwin(&context, request, &twin);
  if (!status.ok()) return status;
  std::cout << "etag " << twin.etag() << "\n";
  const std::map<std::string, v1::TwinProperty> by_name(twin.properties().begin(),
                                                        twin.properties().end());
  for (const auto& [name, property] : by_name) {
    std::cout << name << " desired=" << ValueOf(property.has_desired(), property.desired())
              << " reported=" << ValueOf(property.has_reported(), property.reported()) << "\n";
  }
  return status;
}

grpc::Status Set(const Channel& channel, const std::string& device, const std::string& property,
                 const std::string& value, std::string etag) {
  const auto stub = v1::DeviceTwinService::NewStub(channel);
  if (etag.empty()) {
    grpc::ClientContext context;
    SetPatience(&context, kPatience);
    v1::GetDeviceTwinRequest request;
    request.set_name(device + "/twin");
    v1::DeviceTwin twin;
    const grpc::Status status = stub->GetDeviceTwin(&context, request, &twin);
    if (!status.ok()) return status;
    etag = twin.etag();
  }
  grpc::ClientContext context;
  SetPatience(&context, kPatience);
  v1::UpdateDeviceTwinRequest request;
  request.mutable_twin()->set_name(device + "/twin");
  request.mutable_twin()->set_etag(etag);
  (*request.mutable_twin()->mutable_properties())[property].mutable_desired()->set_value(value);
  v1::DeviceTwin twin;
  const grpc::Status status = stub->UpdateDeviceTwin(&context, request, &twin);
  if (status.ok()) std::cout << "etag " << twin.etag() << "\n";
  return status;
}

grpc::Status Call(const Channel& channel, const std::string& device, const std::string& method,
                  const std::vector<std::string>& arguments) {
  grpc::ClientContext context;
  SetPatience(&context, kMethodPatience);
  v1::CallMethodRequest request;
  request.set_device(device);
  request.set_method(method);
  request.set_delivery(v1::MethodCall::DELIVERY_NOW);
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    (*request.mutable_arguments())[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  v1::MethodCall call;
  const grpc::Status status =
      v1::MethodService::NewStub(channel)->CallMethod(&context, request, &call);
  if (status.ok()) {
    std::cout << "status " << call.result().status() << "\n" << call.result().payload() << "\n";
  }
  return status;
}

void PrintError(const grpc::Status& status) {
  std::string reason;
  std::map<std::string, std::string> metadata;
  google::rpc::Status details;  // Of the trailer grpc-status-details-bin.
  if (details.ParseFromString(status.error_details())) {
    google::rpc::ErrorInfo info;
    for (const auto& detail : details.details()) {
      if (!detail.UnpackTo(&info)) continue;  // Another kind of detail.
      reason = info.reason();
      metadata.insert(info.metadata().begin(), info.metadata().end());
    }
  }
  std::cerr << NameOf(status.error_code()) << (reason.empty() ? "" : " ") << reason << ": "
            << status.error_message() << "\n";
  for (const auto& [key, value] : metadata) std::cerr << "  " << key << "=" << value << "\n";
}

}  // namespace skerry::examples
