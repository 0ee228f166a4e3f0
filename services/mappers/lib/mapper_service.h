// DeviceMapperService, as twin-svc calls it.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_MAPPER_SERVICE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_MAPPER_SERVICE_H_

#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "services/lib/exec/thread_pool.h"
#include "services/mappers/lib/mapper.h"

namespace skerry::mapper {

// Both outlive the server. Calls wait for the mapper's executor, so they run on the pool.
class MapperServiceImpl final : public v1beta1::DeviceMapperService::CallbackService {
 public:
  MapperServiceImpl(Mapper& mapper, exec::ThreadPool& pool) : mapper_(mapper), pool_(pool) {}

  grpc::ServerUnaryReactor* RegisterDevice(grpc::CallbackServerContext* context,
                                           const v1beta1::RegisterDeviceRequest* request,
                                           v1beta1::RegisterDeviceResponse* response) override;
  grpc::ServerUnaryReactor* RemoveDevice(grpc::CallbackServerContext* context,
                                         const v1beta1::RemoveDeviceRequest* request,
                                         v1beta1::RemoveDeviceResponse* response) override;
  grpc::ServerUnaryReactor* UpdateDevice(grpc::CallbackServerContext* context,
                                         const v1beta1::UpdateDeviceRequest* request,
                                         v1beta1::UpdateDeviceResponse* response) override;
  grpc::ServerUnaryReactor* CreateDeviceModel(
      grpc::CallbackServerContext* context, const v1beta1::CreateDeviceModelRequest* request,
      v1beta1::CreateDeviceModelResponse* response) override;
  grpc::ServerUnaryReactor* RemoveDeviceModel(
      grpc::CallbackServerContext* context, const v1beta1::RemoveDeviceModelRequest* request,
      v1beta1::RemoveDeviceModelResponse* response) override;
  grpc::ServerUnaryReactor* UpdateDeviceModel(
      grpc::CallbackServerContext* context, const v1beta1::UpdateDeviceModelRequest* request,
      v1beta1::UpdateDeviceModelResponse* response) override;
  grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                      const v1beta1::GetDeviceRequest* request,
                                      v1beta1::GetDeviceResponse* response) override;

 private:
  Mapper& mapper_;
  exec::ThreadPool& pool_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_MAPPER_SERVICE_H_
