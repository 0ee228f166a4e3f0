#include "services/twin-svc/dmi/mapper_link.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::twin {
namespace {

using Kind = MapperSync::Kind;

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCreateModel:
      return "CreateDeviceModel";
    case Kind::kUpdateModel:
      return "UpdateDeviceModel";
    case Kind::kRemoveModel:
      return "RemoveDeviceModel";
    case Kind::kRegisterDevice:
      return "RegisterDevice";
    case Kind::kUpdateDevice:
      return "UpdateDevice";
    case Kind::kRemoveDevice:
      return "RemoveDevice";
  }
  return "";
}

// The mapper's own errors have a reason; what gRPC says of a mapper that is not there, or has no
// such service, has none.
absl::Status MethodError(const absl::Status& status, const MapperRecord& mapper) {
  if (!GetErrorInfo(status).reason.empty()) return status;
  // Cancelled: it has been replaced, or this service ends.
  if (absl::IsUnavailable(status) || absl::IsCancelled(status)) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("the mapper ", mapper.name, " is not there: ", status.message()))
        .Reason("MAPPER_AWAY")
        .Meta("mapper", mapper.name);
  }
  if (absl::IsUnimplemented(status)) {
    return Error(absl::StatusCode::kUnimplemented,
                 absl::StrCat("the mapper ", mapper.name, " takes no methods"))
        .Reason("METHODS_UNSUPPORTED")
        .Meta("mapper", mapper.name);
  }
  return status;
}

}  // namespace

absl::StatusOr<std::shared_ptr<MapperLink>> MapperLink::Create(MapperRecord record,
                                                               const Context& context) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<MapperClient> client,
                          MapperClient::Create(record.path, context.call_timeout));
  return std::shared_ptr<MapperLink>(new MapperLink(std::move(record), context, std::move(client)));
}

MapperLink::MapperLink(MapperRecord record, const Context& context,
                       std::unique_ptr<MapperClient> client)
    : record_(std::move(record)),
      context_(context),
      log_(context.log.With({{"mapper", record_.name}})),
      client_(std::move(client)),
      watch_(record_.name, context.watch) {
  context_.metrics.mappers.Increment();
}

MapperLink::~MapperLink() {
  context_.executor.Cancel(timer_);
  context_.executor.Cancel(ask_timer_);
  context_.metrics.mappers.Decrement();
  context_.metrics.behind.Decrement(static_cast<double>(counted_behind_));
  if (counted_away_) context_.metrics.away.Decrement();
}

absl::Status MapperLink::Registered(MapperRecord record, const MapperSync::LeftOut& left_out) {
  if (record.path != record_.path) {
    SKERRY_ASSIGN_OR_RETURN(client_, MapperClient::Create(record.path, context_.call_timeout));
  }
  record_ = std::move(record);
  drained_ = nullptr;
  sync_.Registered(left_out);
  watch_.Registered();
  Watch();
  failing_.clear();
  complained_ = false;
  NoteStore(context_.store.SaveMapper(record_, sync_.TakeTold()));
  return absl::OkStatus();
}

void MapperLink::Pump() {
  context_.executor.Cancel(timer_);
  const absl::Duration now = context_.clock.Monotonic();
  while (const std::optional<MapperSync::Call> call = sync_.Next(now)) {
    SaveTold();
    if (Perform(*call)) break;
    sync_.Done(false, now);
  }
  Count();
  const absl::Duration wake = sync_.NextWake();
  if (wake < absl::InfiniteDuration()) {
    timer_ = context_.executor.PostAfter(wake - now, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->Pump();
    });
  }
  // Each thing once: what it does not take now, it keeps.
  if (retired() && !sync_.under_way()) context_.executor.Post(drained_);
}

bool MapperLink::Perform(const MapperSync::Call& call) {
  call_ = call;
  MapperClient::Done done = [weak = weak_from_this(),
                             &executor = context_.executor](absl::Status status) {
    executor.Post([weak, status = std::move(status)] {
      if (const auto self = weak.lock()) self->OnDone(status);
    });
  };
  const std::pair<std::string, std::string> name = absl::StrSplit(call.name, '/');
  switch (call.kind) {
    case Kind::kRemoveModel:
      client_->RemoveModel(name.first, name.second, std::move(done));
      return true;
    case Kind::kRemoveDevice:
      client_->RemoveDevice(name.first, name.second, std::move(done));
      return true;
    case Kind::kCreateModel:
    case Kind::kUpdateModel: {
      absl::StatusOr<v1beta1::DeviceModel> model = context_.model(call.name);
      if (!model.ok()) return false;
      if (call.kind == Kind::kCreateModel) {
        client_->CreateModel(*std::move(model), std::move(done));
      } else {
        client_->UpdateModel(*std::move(model), std::move(done));
      }
      return true;
    }
    case Kind::kRegisterDevice:
    case Kind::kUpdateDevice: {
      absl::StatusOr<v1beta1::Device> device = context_.device(call.name);
      if (!device.ok()) return false;
      if (call.kind == Kind::kRegisterDevice) {
        client_->RegisterDevice(*std::move(device), std::move(done));
      } else {
        client_->UpdateDevice(*std::move(device), std::move(done));
      }
      return true;
    }
  }
  return false;
}

void MapperLink::OnDone(const absl::Status& status) {
  const absl::Duration now = context_.clock.Monotonic();
  if (absl::IsUnavailable(status)) {
    sync_.Away(now);
  } else {
    sync_.Done(status.ok(), now);
  }
  NoteResult(status);
  SaveTold();
  Pump();
}

void MapperLink::NoteResult(const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    context_.metrics.calls_away.Increment();
    if (!std::exchange(complained_, true)) {
      log_.Warning("the mapper is away: it is told what changes when it is back", status,
                   {{"path", record_.path}});
    }
    return;
  }
  complained_ = false;
  const bool model = call_.kind == Kind::kCreateModel || call_.kind == Kind::kUpdateModel ||
                     call_.kind == Kind::kRemoveModel;
  const std::string what = absl::StrCat(model ? "model " : "device ", call_.name);
  if (status.ok()) {
    context_.metrics.calls_ok.Increment();
    failing_.erase(what);
    return;
  }
  context_.metrics.calls_failed.Increment();
  if (failing_.insert(what).second) {
    log_.Warning("the mapper does not take what it is told; it is tried again", status,
                 {{"call", NameOf(call_.kind)}, {"key", call_.name}});
  }
}

void MapperLink::SaveTold() {
  const std::vector<MapperSync::Told> changes = sync_.TakeTold();
  if (!changes.empty()) NoteStore(context_.store.SaveTold(record_.name, changes));
}

void MapperLink::NoteStore(const absl::Status& status) {
  if (status.ok()) return;
  context_.metrics.store_failures.Increment();
  log_.Error(
      "what the mapper was told can't be stored: after a restart of this service it may have"
      " more than it should",
      status);
}

void MapperLink::Count() {
  const size_t behind = sync_.behind();
  context_.metrics.behind.Increment(static_cast<double>(behind) -
                                    static_cast<double>(counted_behind_));
  counted_behind_ = behind;
  const bool away = sync_.away() || watch_.away();
  if (std::exchange(counted_away_, away) != away) context_.metrics.away.Increment(away ? 1 : -1);
}

void MapperLink::Watch() {
  if (!std::exchange(watching_, true)) Ask();
}

void MapperLink::Ask() {
  asked_ = context_.clock.Monotonic();
  client_->Ask(watch_.patience(),
               [weak = weak_from_this(), &executor = context_.executor](absl::Status status) {
                 executor.Post([weak, status = std::move(status)] {
                   if (const auto self = weak.lock()) self->OnAsked(status);
                 });
               });
}

void MapperLink::OnAsked(const absl::Status& status) {
  const bool was_away = watch_.away();
  // Cancelled: its path is another one now.
  if (!absl::IsCancelled(status)) {
    watch_.OnAsked(status.ok(), asked_, context_.clock.Monotonic());
  }
  if (watch_.away() && !was_away) {
    log_.Warning("the mapper is away: those of its devices that were online are unknown", status,
                 {{"path", record_.path}});
  } else if (was_away && !watch_.away()) {
    log_.Info("the mapper is there again", {{"path", record_.path}});
  }
  Count();
  ask_timer_ = context_.executor.PostAfter(watch_.pause(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Ask();
  });
}

void MapperLink::CallMethod(v1::MethodCall call, absl::Duration timeout,
                            MapperClient::MethodDone done) {
  if (method_calls_->fetch_add(1) >= context_.method_calls_max) {
    method_calls_->fetch_sub(1);
    context_.metrics.method_calls_failed.Increment();
    return done(Error(absl::StatusCode::kResourceExhausted,
                      absl::StrCat("the mapper ", record_.name, " has ", context_.method_calls_max,
                                   " calls under way: try again later"))
                    .Reason("MAPPER_BUSY")
                    .Meta("mapper", record_.name));
  }
  client_->CallMethod(
      std::move(call), timeout,
      [count = method_calls_, record = record_, &metrics = context_.metrics,
       done = std::move(done)](absl::StatusOr<v1::MethodResult> result) mutable {
        count->fetch_sub(1);
        (result.ok() ? metrics.method_calls_ok : metrics.method_calls_failed).Increment();
        if (result.ok()) {
          done(std::move(result));
        } else {
          done(MethodError(result.status(), record));
        }
      });
}

}  // namespace skerry::twin
