#include "services/eventbus-svc/runner/request_desk.h"

#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/core/topics.h"
#include "services/eventbus-svc/core/twin_documents.h"
#include "services/eventbus-svc/core/twin_request.h"
#include "services/eventbus-svc/wire/twin_messages.h"
#include "services/eventbus-svc/wire/write_ids.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kActiveMax = 64;

bool Passes(const absl::Status& status) {
  if (GetErrorInfo(status).reason == "TWIN_FULL") return false;
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

bool IsUnknownDevice(const absl::Status& status) { return absl::IsNotFound(status); }

}  // namespace

RequestDesk::RequestDesk(const Options& options, TwinPort& twins, Announcer& announcer,
                         Journal& journal, exec::SerialExecutor& executor, Clock& clock,
                         const Heads& heads, Answered answered, BusMetrics& metrics,
                         log::Logger log)
    : options_(options),
      twins_(twins),
      announcer_(announcer),
      journal_(journal),
      executor_(executor),
      clock_(clock),
      heads_(heads),
      answered_(std::move(answered)),
      metrics_(metrics),
      log_(std::move(log)) {}

// ---- the queue ----

void RequestDesk::Submit(Request request) {
  if (std::holds_alternative<MembershipGetTopic>(request.topic)) return AnswerMembership(request);
  const DeviceName device = std::visit(
      [](const auto& topic) -> DeviceName {
        if constexpr (std::is_same_v<std::decay_t<decltype(topic)>, MembershipGetTopic>) {
          return *DeviceName::Make("none", "none");
        } else {
          return topic.device;
        }
      },
      request.topic);
  Lane& lane = lanes_[device];
  lane.waiting.push_back(std::move(request));
  MakeReady(device, lane);
  Pump();
}

void RequestDesk::MakeReady(const DeviceName& device, Lane& lane) {
  if (lane.busy || lane.waiting.empty() || std::exchange(lane.ready, true)) return;
  ready_.push_back(device);
}

void RequestDesk::Pump() {
  while (!closed_ && active_ < kActiveMax && !ready_.empty()) {
    const DeviceName device = std::move(ready_.front());
    ready_.pop_front();
    Lane& lane = lanes_.at(device);
    lane.ready = false;
    lane.busy = true;
    ++active_;
    Begin(device, lane.waiting.front());
  }
}

void RequestDesk::Begin(const DeviceName& device, const Request& request) {
  if (std::holds_alternative<TwinUpdateTopic>(request.topic)) return BeginUpdate(device, request);
  if (std::holds_alternative<TwinGetTopic>(request.topic)) return BeginGet(device, request);
  BeginState(device, request);
}

void RequestDesk::Finish(const DeviceName& device) {
  const auto it = lanes_.find(device);
  Lane& lane = it->second;
  answered_(lane.waiting.front());
  lane.waiting.pop_front();
  lane.busy = false;
  --active_;
  if (lane.deferred.has_value()) {
    announcer_.OnTwin(device, *std::exchange(lane.deferred, std::nullopt));
  }
  if (lane.waiting.empty()) {
    lanes_.erase(it);
  } else {
    MakeReady(device, lane);
  }
  Pump();
}

void RequestDesk::Answer(const DeviceName& device, std::string topic, std::string payload) {
  BusChange change;
  change.publish.push_back({.topic = std::move(topic), .payload = std::move(payload)});
  Answer(device, std::move(change), false);
}

void RequestDesk::Answer(const DeviceName& device, BusChange change, bool announces) {
  journal_.Submit(std::move(change), [this, device, announces](const absl::Status& status) {
    executor_.Post([this, device, announces, stored = status.ok()] {
      if (!stored && announces) announcer_.OnNotStored(device);
      Finish(device);
    });
  });
}

bool RequestDesk::TryAgain(const DeviceName& device, const absl::Status& status,
                           absl::AnyInvocable<void()> again) {
  if (closed_ && Passes(status)) return true;
  const Request& request = lanes_.at(device).waiting.front();
  if (!Passes(status) ||
      clock_.Monotonic() + options_.retry > request.arrived + options_.time_max) {
    return false;
  }
  executor_.PostAfter(options_.retry, std::move(again));
  return true;
}

// ---- twin/update ----

void RequestDesk::BeginUpdate(const DeviceName& device, const Request& request) {
  Parsed<TwinUpdateRequest> parsed = ParseTwinUpdate(request.payload);
  absl::Status fault = parsed.request.status();
  auto update = std::make_shared<Update>();
  update->event_id = parsed.event_id;
  if (fault.ok()) {
    static const TwinProperties kNone;
    const TwinProperties* known = announcer_.Find(device);
    absl::StatusOr<TwinWrite> write = PlanWrite(*parsed.request, known == nullptr ? kNone : *known);
    fault = write.status();
    if (write.ok()) update->write = *std::move(write);
  }
  if (!fault.ok()) {
    metrics_.refused_invalid.Increment();
    return Answer(device, TwinUpdateResultTopic(device),
                  ErrorResultJson(heads_.Of(parsed.event_id), fault));
  }
  // One without an id has been given one, so that it can be tried again, also after a crash.
  std::string id = WriteIdOf(update->event_id, request.payload);
  if (id.empty()) id = request.write_id;
  update->message = WriteRequestOf(device, update->write, id);
  Write(device, std::move(update));
}

void RequestDesk::Write(const DeviceName& device, std::shared_ptr<const Update> update) {
  twins_.WriteTwin(update->message, [this, device,
                                     update](absl::StatusOr<twin::v1::WriteTwinResponse> response) {
    executor_.Post([this, device, update, response = std::move(response)] {
      if (response.ok()) return OnWritten(device, *update, *response);
      const absl::Status& status = response.status();
      if (TryAgain(device, status, [this, device, update] { Write(device, update); })) return;
      if (!Passes(status)) metrics_.refused_invalid.Increment();
      Answer(device, TwinUpdateResultTopic(device),
             ErrorResultJson(heads_.Of(update->event_id),
                             IsUnknownDevice(status) ? UpdateOfUnknownDevice(device) : status));
    });
  });
}

void RequestDesk::OnWritten(const DeviceName& device, const Update& update,
                            const twin::v1::WriteTwinResponse& response) {
  Answer(device,
         announcer_.AfterWrite(device, response.before(), response.after(), update.write,
                               update.event_id),
         true);
}

// ---- twin/get ----

void RequestDesk::BeginGet(const DeviceName& device, const Request& request) {
  const Parsed<TwinGetRequest> parsed = ParseTwinGet(request.payload);
  if (parsed.request.ok()) return Get(device, parsed.event_id);
  metrics_.refused_invalid.Increment();
  Answer(device, TwinGetResultTopic(device),
         ErrorResultJson(heads_.Of(parsed.event_id), parsed.request.status()));
}

void RequestDesk::Get(const DeviceName& device, const std::string& event_id) {
  twins_.GetTwin(device, [this, device, event_id](absl::StatusOr<twin::v1::Twin> twin) {
    executor_.Post([this, device, event_id, twin = std::move(twin)] {
      if (twin.ok()) {
        return Answer(device, TwinGetResultTopic(device),
                      GetResultJson(heads_.For(event_id), PropertiesOf(*twin)));
      }
      const absl::Status& status = twin.status();
      if (TryAgain(device, status, [this, device, event_id] { Get(device, event_id); })) return;
      Answer(device, TwinGetResultTopic(device),
             ErrorResultJson(heads_.Of(event_id),
                             IsUnknownDevice(status) ? GetOfUnknownDevice(device) : status));
    });
  });
}

void RequestDesk::Refetch(const DeviceName& device) {
  twins_.GetTwin(device, [this, device](absl::StatusOr<twin::v1::Twin> twin) {
    executor_.Post([this, device, twin = std::move(twin)]() mutable {
      if (twin.ok()) return OnTwin(*std::move(twin));
      if (Passes(twin.status())) announcer_.OnNotStored(device);  // Later, once more.
    });
  });
}

// ---- state/update ----

void RequestDesk::BeginState(const DeviceName& device, const Request& request) {
  const Parsed<StateUpdateRequest> parsed = ParseStateUpdate(request.payload);
  if (!parsed.request.ok()) {
    // KubeEdge has no answer for it.
    metrics_.refused_invalid.Increment();
    log_.Debug("a device's state can't be read", {{"device", device.value()}});
    return Finish(device);
  }
  twin::v1::ReportStateRequest message;
  message.set_name(TwinNameOf(device));
  message.set_state(parsed.request->state);
  message.set_writer(kMqttWriter);
  Report(device, message, parsed.request->connected);
}

void RequestDesk::Report(const DeviceName& device, const twin::v1::ReportStateRequest& message,
                         bool connected) {
  twins_.ReportState(
      message, [this, device, message, connected](absl::StatusOr<twin::v1::DeviceState> state) {
        executor_.Post([this, device, message, connected, state = std::move(state)] {
          if (state.ok()) {
            DeviceSummary summary = SummaryOf(device, *state);
            summary.state = message.state();
            if (!connected) summary.last_online.reset();  // As KubeEdge tells it here.
            return Answer(device, StateUpdateResultTopic(device),
                          StateResultJson(heads_.New(), summary));
          }
          const absl::Status& status = state.status();
          if (TryAgain(device, status, [=, this] { Report(device, message, connected); })) return;
          metrics_.refused_invalid.Increment();
          log_.Warning("a device's state was not taken", status, {{"device", device.value()}});
          Finish(device);
        });
      });
}

// ---- membership/get ----

void RequestDesk::AnswerMembership(const Request& request) {
  const Parsed<MembershipGetRequest> parsed = ParseMembershipGet(request.payload);
  absl::Status fault = parsed.request.status();
  if (!fault.ok()) {
    metrics_.refused_invalid.Increment();
  } else if (!announcer_.synced()) {
    fault = Error(absl::StatusCode::kUnavailable,
                  "the devices of this node are not known yet: ask again")
                .Reason("DEVICES_UNKNOWN");
  }
  BusChange change;
  change.publish.push_back(
      {.topic = MembershipGetResultTopic(options_.node),
       .payload = fault.ok()
                      ? MembershipResultJson(heads_.For(parsed.event_id), announcer_.devices())
                      : ErrorResultJson(heads_.Of(parsed.event_id), fault)});
  journal_.Submit(std::move(change), [this, sequence = request.sequence,
                                      bytes = request.bytes](const absl::Status&) {
    executor_.Post([this, sequence, bytes] {
      answered_({.topic = MembershipGetTopic{options_.node}, .sequence = sequence, .bytes = bytes});
    });
  });
}

// ---- the watch ----

void RequestDesk::OnTwin(twin::v1::Twin twin) {
  const absl::StatusOr<DeviceName> device = DeviceOf(twin.name());
  if (!device.ok()) return log_.Error("twin-svc names a twin that can't be", device.status());
  const auto it = lanes_.find(*device);
  if (it != lanes_.end() && it->second.busy && announcer_.OnNamed(*device)) {
    it->second.deferred = std::move(twin);
    return;
  }
  announcer_.OnTwin(*device, twin);
}

void RequestDesk::OnTwinDeleted(const DeviceName& device) {
  const auto it = lanes_.find(device);
  if (it != lanes_.end()) it->second.deferred.reset();
  announcer_.OnTwinDeleted(device);
}

void RequestDesk::OnTwinsSynced() { announcer_.OnSynced(); }

void RequestDesk::OnTwinsConnected(bool connected) { announcer_.OnConnected(connected); }

}  // namespace skerry::eventbus
