#include "services/lib/hubclient/testing/fake_edgehub.h"

#include "absl/time/clock.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"

namespace skerry::hubclient {
namespace {

namespace hub = skerry::edgehub::v1;

constexpr absl::Duration kPatience = absl::Seconds(20);

hub::HubFrame ReportStored(uint64_t request_id, const absl::Status& status) {
  hub::HubFrame frame;
  frame.mutable_report_stored()->set_request_id(request_id);
  *frame.mutable_report_stored()->mutable_status() = rpc::ToProto(status);
  return frame;
}

hub::HubFrame EventsStored(uint64_t request_id, uint32_t stored, const absl::Status& status) {
  hub::HubFrame frame;
  frame.mutable_events_stored()->set_request_id(request_id);
  frame.mutable_events_stored()->set_stored(stored);
  *frame.mutable_events_stored()->mutable_status() = rpc::ToProto(status);
  return frame;
}

}  // namespace

FakeEdgehub::FakeEdgehub(const std::string& listen, bool answers)
    : answers_(answers), server_(*rpc::Server::Create({.listen = listen}, {this})) {}

FakeEdgehub::~FakeEdgehub() { server_->Shutdown(absl::Now()); }

hub::SpokeFrame FakeEdgehub::Next() {
  absl::MutexLock lock(&mutex_);
  const auto there = [&] { return !frames_.empty(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&there), kPatience)) return {};
  hub::SpokeFrame frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

void FakeEdgehub::AnswerReport(const hub::SpokeFrame& put, const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  stream_->Send(ReportStored(put.put_report().request_id(), status));
}

void FakeEdgehub::AnswerEvents(const hub::SpokeFrame& put, uint32_t stored,
                               const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  stream_->Send(EventsStored(put.put_events().request_id(), stored, status));
}

void FakeEdgehub::Refuse(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  refusal_ = std::move(status);
}

void FakeEdgehub::SendLinkState(bool connected, const std::string& reason) {
  hub::HubFrame frame;
  frame.mutable_link_state()->set_connected(connected);
  frame.mutable_link_state()->set_reason(reason);
  absl::MutexLock lock(&mutex_);
  stream_->Send(std::move(frame));
}

void FakeEdgehub::SendCommand(const std::string& key, const std::string& type,
                              const std::string& payload, absl::Duration deadline) {
  hub::HubFrame frame;
  hub::CommandRequest& request = *frame.mutable_command_request();
  request.set_key(key);
  request.set_type(type);
  request.set_payload(payload);
  request.mutable_deadline()->set_seconds(absl::ToInt64Seconds(deadline));
  absl::MutexLock lock(&mutex_);
  stream_->Send(std::move(frame));
}

hub::CommandDone FakeEdgehub::AwaitCommand(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  const auto there = [&] { return commands_.count(key) > 0; };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&there), kPatience)) return {};
  return commands_.at(key);
}

void FakeEdgehub::Cut() {
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Close(absl::UnavailableError("restarting"));
}

hub::Register FakeEdgehub::registration() {
  absl::MutexLock lock(&mutex_);
  return registration_;
}

int FakeEdgehub::registrations() {
  absl::MutexLock lock(&mutex_);
  return registrations_;
}

std::map<std::pair<std::string, std::string>, FakeEdgehub::Report> FakeEdgehub::reports() {
  absl::MutexLock lock(&mutex_);
  return reports_;
}

std::vector<FakeEdgehub::Event> FakeEdgehub::events() {
  absl::MutexLock lock(&mutex_);
  return events_;
}

size_t FakeEdgehub::repeats() {
  absl::MutexLock lock(&mutex_);
  return repeats_;
}

bool FakeEdgehub::Await(absl::FunctionRef<bool()> condition) {
  const absl::Time limit = absl::Now() + kPatience;
  while (true) {
    uint64_t seen = 0;
    {
      absl::MutexLock lock(&mutex_);
      seen = changes_;
    }
    if (condition()) return true;
    absl::MutexLock lock(&mutex_);
    const auto changed = [&] { return changes_ != seen; };
    if (!mutex_.AwaitWithDeadline(absl::Condition(&changed), limit)) return false;
  }
}

grpc::ServerBidiReactor<hub::SpokeFrame, hub::HubFrame>* FakeEdgehub::Attach(
    grpc::CallbackServerContext* context) {
  return rpc::AcceptBidi<hub::SpokeFrame, hub::HubFrame>(
      context, {}, [this](const rpc::CallScope&, std::shared_ptr<HubStream> stream) {
        absl::MutexLock lock(&mutex_);
        stream_ = std::move(stream);
        return rpc::StreamEvents<hub::SpokeFrame>{
            .on_message = [this](hub::SpokeFrame frame) { OnFrame(std::move(frame)); },
            .on_closed = nullptr};
      });
}

void FakeEdgehub::OnFrame(hub::SpokeFrame frame) {
  absl::MutexLock lock(&mutex_);
  ++changes_;
  if (frame.has_register_()) {
    registration_ = frame.register_();
    ++registrations_;
    hub::HubFrame answer;
    answer.mutable_registered()->set_node("edge-1");
    stream_->Send(std::move(answer));
    return;
  }
  if (frame.has_command_done()) commands_[frame.command_done().key()] = frame.command_done();
  if (!answers_) {
    frames_.push_back(std::move(frame));
    return;
  }
  if (frame.has_put_report()) StoreReport(frame.put_report());
  if (frame.has_put_events()) StoreEvents(frame.put_events());
}

void FakeEdgehub::StoreReport(const hub::PutReport& put) {
  if (refusal_.ok()) {
    Report& report = reports_[{put.report().type(), put.report().key()}];
    report.generation = put.report().generation();
    report.value = put.report().value();
    ++report.puts;
  }
  stream_->Send(ReportStored(put.request_id(), refusal_));
}

void FakeEdgehub::StoreEvents(const hub::PutEvents& put) {
  uint32_t stored = 0;
  if (refusal_.ok()) {
    for (const hub::PutEvents::Event& event : put.events()) {
      ++stored;
      uint64_t& last = last_[{put.stream(), put.producer()}];
      if (!put.producer().empty() && event.producer_sequence() <= last) {
        ++repeats_;
        continue;
      }
      last = event.producer_sequence();
      events_.push_back(
          {put.stream(), put.producer(), event.key(), event.value(), event.producer_sequence()});
    }
  }
  stream_->Send(EventsStored(put.request_id(), stored, refusal_));
}

}  // namespace skerry::hubclient
