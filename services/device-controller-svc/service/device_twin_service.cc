#include "services/device-controller-svc/service/device_twin_service.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/device_twin_service.grpc.pb.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/device-controller-svc/service/twin_update.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::devicecontroller {
namespace {

constexpr size_t kTwinBytesMax = (3u << 20) + (512u << 10);  // Of a message of 4 MiB.

absl::Status TwinTooLarge(const v1::DeviceTwin& twin) {
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("the ", twin.properties_size(), " properties have ",
                            twin.ByteSizeLong(), " bytes, and an answer at most ", kTwinBytesMax,
                            ": ask for some of them"))
      .Reason("TWIN_TOO_LARGE");
}

absl::StatusOr<TwinSide> SideOf(v1::ListTwinHistoryRequest::Side side) {
  switch (side) {
    case v1::ListTwinHistoryRequest::SIDE_UNSPECIFIED:
    case v1::ListTwinHistoryRequest::SIDE_REPORTED:
      return TwinSide::kReported;
    case v1::ListTwinHistoryRequest::SIDE_DESIRED:
      return TwinSide::kDesired;
    default:
      return InvalidField("side", absl::StrCat(static_cast<int>(side)),
                          "give SIDE_REPORTED or SIDE_DESIRED");
  }
}

class DeviceTwinServiceImpl final : public v1::DeviceTwinService::CallbackService {
 public:
  DeviceTwinServiceImpl(RegistryStore& registry, TwinHistoryStore& twins, DeviceObjects& objects,
                        DeviceModels& models, Clock& clock, exec::ThreadPool& pool,
                        ServiceMetrics& metrics, log::Logger log)
      : registry_(registry),
        twins_(twins),
        objects_(objects),
        models_(models),
        clock_(clock),
        pool_(pool),
        metrics_(metrics),
        log_(std::move(log)) {}

  grpc::ServerUnaryReactor* GetDeviceTwin(grpc::CallbackServerContext* context,
                                          const v1::GetDeviceTwinRequest* request,
                                          v1::DeviceTwin* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return Get(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* UpdateDeviceTwin(grpc::CallbackServerContext* context,
                                             const v1::UpdateDeviceTwinRequest* request,
                                             v1::DeviceTwin* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      absl::Status status = Update(*request, scope, *response);
      if (status.code() == absl::StatusCode::kAborted) metrics_.twin_conflicts.Increment();
      return status;
    });
  }

  grpc::ServerUnaryReactor* ListTwinHistory(grpc::CallbackServerContext* context,
                                            const v1::ListTwinHistoryRequest* request,
                                            v1::ListTwinHistoryResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return History(*request, *response);
    });
  }

 private:
  absl::StatusOr<DeviceRecord> RecordOf(const DeviceName& device) {
    SKERRY_ASSIGN_OR_RETURN(std::optional<DeviceRecord> record, registry_.Get(device));
    if (!record.has_value()) return DeviceUnknown(device);
    return *std::move(record);
  }

  // Without what is left of a former device of the name.
  absl::StatusOr<std::vector<TwinEntry>> CurrentOf(const DeviceRecord& record) {
    SKERRY_ASSIGN_OR_RETURN(std::vector<TwinEntry> entries, twins_.Current(record.object.device));
    std::erase_if(entries, [&](const TwinEntry& entry) { return entry.uid != record.object.uid; });
    return entries;
  }

  absl::Status Get(const v1::GetDeviceTwinRequest& request, v1::DeviceTwin& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseTwinResource("name", request.name()));
    if (static_cast<size_t>(request.properties_size()) > TwinHistoryStore::kPropertiesMax) {
      return InvalidField("properties", absl::StrCat(request.properties_size()),
                          absl::StrCat("give at most ", TwinHistoryStore::kPropertiesMax));
    }
    if (request.has_read_time()) {
      SKERRY_ASSIGN_OR_RETURN(const TimeRange time, RangeOf(&request.read_time(), nullptr));
      SKERRY_ASSIGN_OR_RETURN(const std::vector<TwinEntry> entries,
                              twins_.StateAt(device, time.from));
      if (entries.empty()) return DeviceUnknown(device);
      response = TwinOf(device, entries, nullptr);
    } else {
      SKERRY_ASSIGN_OR_RETURN(const DeviceRecord record, RecordOf(device));
      SKERRY_ASSIGN_OR_RETURN(const std::vector<TwinEntry> entries, CurrentOf(record));
      response = TwinOf(device, entries, &record);
    }
    const std::set<std::string> wanted(request.properties().begin(), request.properties().end());
    auto& properties = *response.mutable_properties();
    for (auto it = properties.begin(); it != properties.end();) {
      const bool keep = (wanted.empty() || wanted.count(it->first) > 0) &&
                        (!request.delta_only() || it->second.delta());
      it = keep ? std::next(it) : properties.erase(it);
    }
    return response.ByteSizeLong() > kTwinBytesMax ? TwinTooLarge(response) : absl::OkStatus();
  }

  absl::Status Update(const v1::UpdateDeviceTwinRequest& request, const rpc::CallScope& scope,
                      v1::DeviceTwin& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device,
                            ParseTwinResource("twin.name", request.twin().name()));
    SKERRY_ASSIGN_OR_RETURN(const DesiredUpdate update, UpdateFrom(request));
    SKERRY_ASSIGN_OR_RETURN(const DeviceRecord record, RecordOf(device));
    SKERRY_ASSIGN_OR_RETURN(std::vector<TwinEntry> entries, CurrentOf(record));
    SKERRY_ASSIGN_OR_RETURN(const DesiredPlan plan,
                            PlanUpdate(update, PresentOf(entries), record.incarnation));
    SKERRY_RETURN_IF_ERROR(CheckPlan(plan, record, models_));
    if (!plan.values.empty()) {
      const std::string writer = WriterOf(scope);
      SKERRY_ASSIGN_OR_RETURN(const WrittenObject object,
                              objects_.SetDesired({.device = device,
                                                   .uid = record.object.uid,
                                                   .values = plan.values,
                                                   .expected = plan.expected,
                                                   .writer = writer},
                                                  scope));
      const std::vector<DesiredValue> changes =
          ChangesOf(plan, entries, writer, clock_.Now(), object.generation);
      Remember(record, changes);
      Overlay(changes, record.object.uid, entries);
    }
    response = TwinOf(device, entries, &record);
    return response.ByteSizeLong() > kTwinBytesMax ? TwinTooLarge(response) : absl::OkStatus();
  }

  // So that whoever reads now, reads it: the controller does the same when it sees the object.
  void Remember(const DeviceRecord& record, const std::vector<DesiredValue>& changes) {
    if (changes.empty()) return;
    const absl::StatusOr<AppliedValues> applied =
        twins_.ApplyDesired({record.object.device, record.object.uid, record.incarnation}, changes);
    if (applied.ok()) return;
    metrics_.history_late.Increment();
    log_.Warning("desired values are written, their history is late", applied.status(),
                 {{"device", record.object.device.value()}});
  }

  absl::Status History(const v1::ListTwinHistoryRequest& request,
                       v1::ListTwinHistoryResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseTwinResource("name", request.name()));
    SKERRY_ASSIGN_OR_RETURN(const size_t size, PageSize(request.page_size()));
    SKERRY_ASSIGN_OR_RETURN(const TimeRange range,
                            RangeOf(request.has_start_time() ? &request.start_time() : nullptr,
                                    request.has_end_time() ? &request.end_time() : nullptr));
    HistoryQuery query{.property = request.property(),
                       .from = range.from,
                       .to = range.to,
                       .newest_first = !request.oldest_first()};
    SKERRY_ASSIGN_OR_RETURN(query.side, SideOf(request.side()));
    const std::string scope = TokenScope({"history", request.name(), request.property(),
                                          absl::StrCat(static_cast<int>(query.side)), ToText(range),
                                          absl::StrCat(request.oldest_first())});
    int64_t last = 0;  // When the last entry arrived, in microseconds.
    if (!request.page_token().empty()) {
      SKERRY_ASSIGN_OR_RETURN(const std::string key,
                              watch::DecodePageToken(request.page_token(), scope));
      if (!absl::SimpleAtoi(key, &last)) {
        return Error(absl::StatusCode::kInvalidArgument, "page_token: not a token of this API")
            .Reason("PAGE_TOKEN_INVALID");
      }
      GoOnFrom(last, query);
    }
    size_t bytes = 0;
    while (true) {
      // One more than fits the page says whether there is a next one.
      const size_t room = size - static_cast<size_t>(response.entries_size());
      query.count_max = std::min(kChunk, room + 1);
      SKERRY_ASSIGN_OR_RETURN(const std::vector<TwinEntry> entries, twins_.History(device, query));
      for (const TwinEntry& entry : entries) {
        if (static_cast<size_t>(response.entries_size()) == size || bytes > kPageBytesMax) {
          response.set_next_page_token(watch::EncodePageToken(scope, absl::StrCat(last)));
          return absl::OkStatus();
        }
        v1::TwinHistoryEntry& message = *response.add_entries();
        *message.mutable_value() = ToProto(entry);
        message.set_uid(entry.uid);
        if (entry.replace_time.has_value())
          *message.mutable_replace_time() = rpc::ToProto(*entry.replace_time);
        bytes += message.ByteSizeLong();
        last = absl::ToUnixMicros(entry.arrive_time);
      }
      if (entries.size() < query.count_max) return absl::OkStatus();
      GoOnFrom(last, query);
    }
  }

  // An entry of a property and side has its time for itself.
  static void GoOnFrom(int64_t last, HistoryQuery& query) {
    if (query.newest_first) {
      query.to = absl::FromUnixMicros(last);
    } else {
      query.from = absl::FromUnixMicros(last) + absl::Microseconds(1);
    }
  }

  RegistryStore& registry_;
  TwinHistoryStore& twins_;
  DeviceObjects& objects_;
  DeviceModels& models_;
  Clock& clock_;
  exec::ThreadPool& pool_;
  ServiceMetrics& metrics_;
  const log::Logger log_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeDeviceTwinService(RegistryStore& registry,
                                                     TwinHistoryStore& twins,
                                                     DeviceObjects& objects, DeviceModels& models,
                                                     Clock& clock, exec::ThreadPool& pool,
                                                     ServiceMetrics& metrics, log::Logger log) {
  return std::make_unique<DeviceTwinServiceImpl>(registry, twins, objects, models, clock, pool,
                                                 metrics, std::move(log));
}

}  // namespace skerry::devicecontroller
