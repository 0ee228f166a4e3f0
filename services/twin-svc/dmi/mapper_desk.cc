#include "services/twin-svc/dmi/mapper_desk.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/twin-svc/dmi/desk_errors.h"
#include "services/twin-svc/dmi/mapper_info.h"

namespace skerry::twin {
namespace {

constexpr size_t kDueAtOnce = 64;  // Between other work of the executor.
constexpr int kPostedMax = 1024;   // Registrations and calls that the executor has not begun.

uint64_t DesiredOf(const Twin& twin) {
  uint64_t hash = absl::HashOf(twin.uid);
  for (const auto& [name, property] : twin.properties) {
    if (!property.desired().has_value() && property.desired_version == 0) continue;
    hash = absl::HashOf(hash, name, property.desired_version, property.desired().has_value());
  }
  return hash;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MapperDesk>> MapperDesk::Create(const Options& options,
                                                               MapperStore& store, TwinDesk& twins,
                                                               Clock& clock, DmiMetrics& metrics,
                                                               const log::Logger& log) {
  std::unique_ptr<MapperDesk> desk(new MapperDesk(options, store, twins, clock, metrics, log));
  SKERRY_RETURN_IF_ERROR(desk->Restore());
  return desk;
}

MapperDesk::MapperDesk(const Options& options, MapperStore& store, TwinDesk& twins, Clock& clock,
                       DmiMetrics& metrics, const log::Logger& log)
    : options_(options),
      store_(store),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      wanted_(catalog_, twins, metrics, log_),
      states_(twins, clock),
      executor_("mappers", clock) {}

MapperDesk::~MapperDesk() { Stop(); }

absl::Status MapperDesk::Restore() {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<StoredMapper> stored, store_.Load());
  for (const StoredMapper& mapper : stored) {
    SKERRY_ASSIGN_OR_RETURN(const std::shared_ptr<MapperLink> link, LinkFor(mapper.record));
    link->sync().Restore(mapper.told, store_.whole());
    MakeActive(link);
  }
  executor_.Post([this] {
    for (const auto& [name, link] : links_) link->Watch();
  });
  return absl::OkStatus();
}

// ---- Devices and twins ----

absl::Status MapperDesk::PutDevice(const device::DeviceSpec& spec, const nlohmann::json& device) {
  SKERRY_RETURN_IF_ERROR(catalog_.PutDevice(spec, device));
  absl::MutexLock lock(&mutex_);
  due_.insert(spec.name);
  PostDue();
  return absl::OkStatus();
}

void MapperDesk::DropDevice(const DeviceName& name) {
  catalog_.DropDevice(name);
  absl::MutexLock lock(&mutex_);
  due_.insert(name);
  PostDue();
}

absl::Status MapperDesk::PutModel(const ObjectKey& name, const nlohmann::json& model) {
  SKERRY_RETURN_IF_ERROR(catalog_.PutModel(name, model));
  absl::MutexLock lock(&mutex_);
  due_models_.insert(name);
  PostDue();
  return absl::OkStatus();
}

void MapperDesk::DropModel(const ObjectKey& name) { catalog_.DropModel(name); }

void MapperDesk::OnTwins(const std::vector<TwinEvent>& events) {
  absl::MutexLock lock(&mutex_);
  for (const TwinEvent& event : events) {
    const auto known = desired_.find(event.device);
    if (event.twin == nullptr) {
      if (known != desired_.end()) desired_.erase(known);
    } else {
      const uint64_t desired = DesiredOf(*event.twin);
      if (known != desired_.end() && known->second == desired) continue;
      desired_[event.device] = desired;
    }
    due_.insert(event.device);
  }
  PostDue();
}

void MapperDesk::PostDue() {
  if (due_.empty() && due_models_.empty()) return;
  if (!std::exchange(due_posted_, true)) executor_.Post([this] { RunDue(); });
}

bool MapperDesk::TakeDue(size_t count_max) {
  for (size_t count = 0; count < count_max; ++count) {
    std::set<DeviceName>::node_type device;
    std::set<ObjectKey>::node_type model;
    {
      absl::MutexLock lock(&mutex_);
      if (!due_models_.empty()) {
        model = due_models_.extract(due_models_.begin());
        for (const DeviceName& each : catalog_.DevicesOf(model.value())) due_.insert(each);
      } else if (!due_.empty()) {
        device = due_.extract(due_.begin());
      } else {
        return true;
      }
    }
    if (model) {
      wanted_.UpdateModel(model.value());
    } else {
      UpdateDevice(device.value());
    }
  }
  return false;
}

void MapperDesk::UpdateDevice(const DeviceName& device) {
  wanted_.UpdateDevice(device);
  const std::optional<DeviceCatalog::Entry> entry = catalog_.Find(device);
  if (!entry.has_value()) return states_.Forget(device);
  MapperLink* const link = LinkOf(*entry);
  if (link != nullptr) link->watch().Update(device);
}

void MapperDesk::RunDue() {
  TakeDue(kDueAtOnce);
  PumpAll();
  absl::MutexLock lock(&mutex_);
  due_posted_ = false;
  PostDue();
}

void MapperDesk::PumpAll() {
  if (!synced_) return;
  for (const auto& [name, link] : links_) link->Pump();
}

void MapperDesk::OnSynced() {
  executor_.Post([this] {
    if (synced_) return;
    while (!TakeDue(kDueAtOnce)) {
    }
    synced_ = true;
    AnswerWaiting();
    PumpAll();
  });
}

// ---- Registrations ----

void MapperDesk::Register(v1beta1::MapperRegisterRequest request, absl::Duration patience,
                          RegisterDone done) {
  Post<v1beta1::MapperRegisterResponse>(
      std::move(done), [this, request = std::move(request), patience](RegisterDone answer) mutable {
        DoRegister(std::move(request), patience, std::move(answer));
      });
}

void MapperDesk::DoRegister(v1beta1::MapperRegisterRequest request, absl::Duration patience,
                            RegisterDone done) {
  if (synced_ && !draining_) return done(Answer(request));
  if (draining_) return done(Stopping());
  if (registrations_waiting_.size() >= options_.mappers_max) {
    return done(Error(absl::StatusCode::kResourceExhausted, "too many registrations wait")
                    .Reason("MAPPERS_FULL"));
  }
  Wait(registrations_waiting_, patience,
       [this, request = std::move(request), done = std::move(done)](bool in_time) mutable {
         if (in_time) return done(draining_ ? Stopping() : Answer(request));
         metrics_.registrations_refused.Increment();
         done(DevicesNotKnown());
       });
}

void MapperDesk::Wait(WaitingById& among, absl::Duration patience,
                      absl::AnyInvocable<void(bool in_time)> go) {
  const uint64_t id = ++last_waiting_;
  const auto timer = executor_.PostAfter(patience, [&among, id] {
    auto waiting = among.extract(id);
    if (waiting) waiting.mapped().go(false);
  });
  among.emplace(id, Waiting{std::move(go), timer});
}

// Registrations first: a call that was waiting finds its mapper.
void MapperDesk::AnswerWaiting() {
  for (WaitingById* among : {&registrations_waiting_, &calls_waiting_}) {
    for (auto& [id, waiting] : std::exchange(*among, {})) {
      executor_.Cancel(waiting.timer);
      waiting.go(true);
    }
  }
}

absl::StatusOr<v1beta1::MapperRegisterResponse> MapperDesk::Answer(
    const v1beta1::MapperRegisterRequest& request) {
  const auto refused = [&](const absl::Status& status) {
    metrics_.registrations_refused.Increment();
    log_.Warning("a mapper can't be registered", status);
    return status;
  };
  absl::StatusOr<MapperRecord> record = RecordOf(request.mapper());
  if (!record.ok()) return refused(record.status());
  if (!request.withdata()) {
    metrics_.registrations_ok.Increment();
    return v1beta1::MapperRegisterResponse();
  }
  while (!TakeDue(kDueAtOnce)) {
  }
  const absl::StatusOr<std::shared_ptr<MapperLink>> link = LinkFor(*record);
  if (!link.ok()) return refused(link.status());
  MakeActive(*link);
  MapperSync::LeftOut left_out;
  v1beta1::MapperRegisterResponse response =
      wanted_.Answer(record->protocol, options_.answer_bytes_max, left_out);
  const absl::Status registered = (*link)->Registered(*record, left_out);
  if (!registered.ok()) return refused(registered);
  metrics_.registrations_ok.Increment();
  log_.Info("mapper registered", {{"mapper", record->name},
                                  {"protocol", record->protocol},
                                  {"version", record->version},
                                  {"path", record->path},
                                  {"devices", response.devicelist_size()},
                                  {"told_later", static_cast<uint64_t>(left_out.devices.size())}});
  PumpAll();
  return response;
}

absl::StatusOr<std::shared_ptr<MapperLink>> MapperDesk::LinkFor(const MapperRecord& record) {
  const auto known = links_.find(record.name);
  if (known != links_.end()) {
    if (known->second->record().protocol == record.protocol) return known->second;
    Forget(record.name);
  }
  // One that takes over a protocol has room: the other one goes when it has been told.
  const bool full = active_.count(record.protocol) == 0 ? active_.size() >= options_.mappers_max
                                                        : links_.size() >= 2 * options_.mappers_max;
  if (full) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("this box has its ", options_.mappers_max, " mappers already"))
        .Reason("MAPPERS_FULL")
        .Meta("mapper", record.name);
  }
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<MapperLink> link,
                          MapperLink::Create(record, ContextFor(record)));
  links_[record.name] = link;
  return link;
}

MapperLink::Context MapperDesk::ContextFor(const MapperRecord& record) {
  // Of two of a protocol, one has its devices.
  const auto is_active = [this, name = record.name, protocol = record.protocol] {
    const auto active = active_.find(protocol);
    return active != active_.end() && active->second == name;
  };
  const auto devices = [this, is_active, protocol = record.protocol](
                           const std::optional<DeviceName>& after, size_t count_max) {
    return is_active() ? wanted_.DevicesOf(protocol, after, count_max) : std::vector<DeviceName>();
  };
  const auto reported = [this, is_active, protocol = record.protocol] {
    absl::MutexLock lock(&mutex_);
    return is_active() && reported_.erase(protocol) > 0;
  };
  return MapperLink::Context{
      .executor = executor_,
      .clock = clock_,
      .store = store_,
      .metrics = metrics_,
      .log = log_,
      .device = [this](const std::string& name) -> absl::StatusOr<v1beta1::Device> {
        SKERRY_ASSIGN_OR_RETURN(const DeviceName device, DeviceName::Parse(name));
        return wanted_.Message(device);
      },
      .model = [this](const std::string& name) -> absl::StatusOr<v1beta1::DeviceModel> {
        SKERRY_ASSIGN_OR_RETURN(const ObjectKey model, ObjectKey::Parse(name));
        return catalog_.Model(model);
      },
      .call_timeout = options_.call_timeout,
      .method_calls_max = options_.method_calls_max,
      .watch = {.states = states_,
                .devices = devices,
                .reported = reported,
                .away_after = options_.away_after}};
}

void MapperDesk::MakeActive(const std::shared_ptr<MapperLink>& link) {
  const MapperRecord& record = link->record();
  std::string& active = active_[record.protocol];
  const std::string before = std::exchange(active, record.name);
  wanted_.SetMapper(record.protocol, &link->sync());
  {
    absl::MutexLock lock(&mutex_);
    mapper_of_[record.protocol] = record.name;
  }
  const auto former = links_.find(before);
  if (before == record.name || former == links_.end()) return;
  log_.Warning("another mapper of the protocol has registered: this one is told to let go",
               {{"mapper", before}, {"protocol", record.protocol}});
  former->second->Retire([this, before] {
    const auto retired = links_.find(before);
    if (retired != links_.end() && retired->second->retired()) Forget(before);
  });
}

void MapperDesk::Forget(const std::string& mapper) {
  const auto link = links_.find(mapper);
  if (link == links_.end()) return;
  const std::string protocol = link->second->record().protocol;
  if (active_[protocol] == mapper) {
    wanted_.SetMapper(protocol, nullptr);
    active_.erase(protocol);
    absl::MutexLock lock(&mutex_);
    mapper_of_.erase(protocol);
  }
  links_.erase(link);
  const absl::Status deleted = store_.Delete(mapper);
  if (deleted.ok()) return;
  metrics_.store_failures.Increment();
  log_.Error("a mapper can't be deleted from the store", deleted, {{"mapper", mapper}});
}

// ---- Methods ----

void MapperDesk::CallMethod(v1::MethodCall call, absl::Duration timeout, Done done) {
  Post<v1::MethodResult>(
      std::move(done),
      [this, call = std::move(call), end = clock_.Monotonic() + timeout](auto answer) mutable {
        DoCall(std::move(call), end - clock_.Monotonic(), std::move(answer));
      });
}

template <typename Response>
void MapperDesk::Post(
    absl::AnyInvocable<void(absl::StatusOr<Response>)> done,
    absl::AnyInvocable<void(absl::AnyInvocable<void(absl::StatusOr<Response>)>)> work) {
  if (posted_.fetch_add(1) >= kPostedMax) {
    posted_.fetch_sub(1);
    return done(MappersBusy());
  }
  auto held = std::make_shared<absl::AnyInvocable<void(absl::StatusOr<Response>)>>(std::move(done));
  const bool posted = executor_.Post([this, held, work = std::move(work)]() mutable {
    posted_.fetch_sub(1);
    work(std::move(*held));
  });
  if (posted) return;
  posted_.fetch_sub(1);
  (*held)(Stopping());
}

void MapperDesk::Drain() {
  executor_.Post([this] {
    draining_ = true;
    AnswerWaiting();
  });
}

void MapperDesk::Stop() {
  executor_.Run([this] {
    draining_ = true;
    AnswerWaiting();
    links_.clear();
    active_.clear();
  });
  executor_.Stop();
}

}  // namespace skerry::twin
