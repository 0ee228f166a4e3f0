#include "services/mappers/lib/mapper_service.h"

#include <utility>

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/call_scope.h"
#include "services/lib/rpc/unary.h"

namespace skerry::mapper {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* MapperServiceImpl::RegisterDevice(CallbackServerContext* context,
                                                      const v1beta1::RegisterDeviceRequest* request,
                                                      v1beta1::RegisterDeviceResponse* response) {
  return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
    response->set_devicename(request->device().name());
    response->set_devicenamespace(request->device().namespace_());
    return mapper_.PutDevice(request->device());
  });
}

ServerUnaryReactor* MapperServiceImpl::RemoveDevice(CallbackServerContext* context,
                                                    const v1beta1::RemoveDeviceRequest* request,
                                                    v1beta1::RemoveDeviceResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) {
    return mapper_.RemoveDevice(request->devicenamespace(), request->devicename());
  });
}

ServerUnaryReactor* MapperServiceImpl::UpdateDevice(CallbackServerContext* context,
                                                    const v1beta1::UpdateDeviceRequest* request,
                                                    v1beta1::UpdateDeviceResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) {
    return mapper_.PutDevice(request->device());
  });
}

ServerUnaryReactor* MapperServiceImpl::CreateDeviceModel(
    CallbackServerContext* context, const v1beta1::CreateDeviceModelRequest* request,
    v1beta1::CreateDeviceModelResponse* response) {
  return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
    response->set_devicemodelname(request->model().name());
    response->set_devicemodelnamespace(request->model().namespace_());
    return mapper_.PutModel(request->model());
  });
}

ServerUnaryReactor* MapperServiceImpl::RemoveDeviceModel(
    CallbackServerContext* context, const v1beta1::RemoveDeviceModelRequest* request,
    v1beta1::RemoveDeviceModelResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) {
    return mapper_.RemoveModel(request->modelnamespace(), request->modelname());
  });
}

ServerUnaryReactor* MapperServiceImpl::UpdateDeviceModel(
    CallbackServerContext* context, const v1beta1::UpdateDeviceModelRequest* request,
    v1beta1::UpdateDeviceModelResponse*) {
  return rpc::RunUnary(context, pool_, [this, request](const rpc::CallScope&) {
    return mapper_.PutModel(request->model());
  });
}

ServerUnaryReactor* MapperServiceImpl::GetDevice(CallbackServerContext* context,
                                                 const v1beta1::GetDeviceRequest* request,
                                                 v1beta1::GetDeviceResponse* response) {
  return rpc::RunUnary(context, pool_,
                       [this, request, response](const rpc::CallScope&) -> absl::Status {
                         SKERRY_ASSIGN_OR_RETURN(
                             *response->mutable_device(),
                             mapper_.GetDevice(request->devicenamespace(), request->devicename()));
                         return absl::OkStatus();
                       });
}

}  // namespace skerry::mapper
