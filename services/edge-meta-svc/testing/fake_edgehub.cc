#include "services/edge-meta-svc/testing/fake_edgehub.h"

#include <algorithm>
#include <utility>

#include "services/lib/base/check.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edgemeta {
namespace {

using edgehub::v1::HubFrame;
using edgehub::v1::SpokeFrame;

constexpr absl::Duration kPatience = absl::Seconds(20);

HubFrame Change(const std::string& type, uint64_t subscription_id, uint64_t sequence) {
  HubFrame frame;
  frame.mutable_resource()->set_type(type);
  frame.mutable_resource()->set_subscription_id(subscription_id);
  frame.mutable_resource()->set_sequence(sequence);
  return frame;
}

}  // namespace

FakeEdgehub::FakeEdgehub(const std::string& listen) {
  auto server = rpc::Server::Create({.listen = listen}, {this});
  SKERRY_CHECK(server.ok());
  server_ = *std::move(server);
}

FakeEdgehub::~FakeEdgehub() { server_->Shutdown(absl::Now()); }

grpc::ServerBidiReactor<SpokeFrame, HubFrame>* FakeEdgehub::Attach(
    grpc::CallbackServerContext* context) {
  return rpc::AcceptBidi<SpokeFrame, HubFrame>(
      context, {}, [this](const rpc::CallScope&, std::shared_ptr<rpc::Stream<HubFrame>> stream) {
        absl::MutexLock lock(&mutex_);
        stream_ = std::move(stream);
        frames_.clear();
        return rpc::StreamEvents<SpokeFrame>{
            .on_message = [this](SpokeFrame frame) { OnFrame(std::move(frame)); },
            .on_closed = nullptr,
            .on_drained = nullptr};
      });
}

void FakeEdgehub::OnFrame(SpokeFrame frame) {
  absl::MutexLock lock(&mutex_);
  if (frame.has_register_()) {
    HubFrame answer;
    answer.mutable_registered()->set_node("edge-1");
    stream_->Send(std::move(answer));
    ++attached_;
  }
  frames_.push_back(std::move(frame));
}

std::unique_ptr<SpokeFrame> FakeEdgehub::Take(
    const std::function<bool(const SpokeFrame&)>& wanted) {
  const absl::Time deadline = absl::Now() + kPatience;
  absl::MutexLock lock(&mutex_);
  auto found = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::any_of(frames_.begin(), frames_.end(), wanted);
  };
  if (!mutex_.AwaitWithDeadline(absl::Condition(&found), deadline)) return nullptr;
  auto it = std::find_if(frames_.begin(), frames_.end(), wanted);
  auto taken = std::make_unique<SpokeFrame>(std::move(*it));
  frames_.erase(it);
  return taken;
}

std::unique_ptr<SpokeFrame> FakeEdgehub::TakeSubscribe(const std::string& type) {
  return Take(
      [&](const SpokeFrame& f) { return f.has_subscribe() && f.subscribe().type() == type; });
}

std::unique_ptr<SpokeFrame> FakeEdgehub::TakeReport() {
  return Take([](const SpokeFrame& f) { return f.has_put_report(); });
}

std::unique_ptr<SpokeFrame> FakeEdgehub::TakeDone(const std::string& type, uint64_t subscription_id,
                                                  uint64_t sequence) {
  return Take([&](const SpokeFrame& f) {
    return f.has_resource_done() && f.resource_done().type() == type &&
           f.resource_done().subscription_id() == subscription_id &&
           f.resource_done().sequence() == sequence;
  });
}

bool FakeEdgehub::Send(HubFrame frame) {
  absl::MutexLock lock(&mutex_);
  return stream_ != nullptr && stream_->Send(std::move(frame));
}

void FakeEdgehub::SendSubscribeRequest(const std::string& type, uint64_t subscription_id) {
  HubFrame frame;
  frame.mutable_subscribe_request()->set_type(type);
  frame.mutable_subscribe_request()->set_subscription_id(subscription_id);
  Send(std::move(frame));
}

void FakeEdgehub::SendUpsert(const std::string& type, uint64_t subscription_id, uint64_t sequence,
                             const std::string& key, const std::string& version,
                             const std::string& object) {
  HubFrame frame = Change(type, subscription_id, sequence);
  link::v1::Upsert& upsert = *frame.mutable_resource()->mutable_upsert();
  upsert.set_key(key);
  upsert.set_version(version);
  upsert.set_object(object);
  Send(std::move(frame));
}

void FakeEdgehub::SendDelete(const std::string& type, uint64_t subscription_id, uint64_t sequence,
                             const std::string& key) {
  HubFrame frame = Change(type, subscription_id, sequence);
  frame.mutable_resource()->mutable_delete_()->set_key(key);
  Send(std::move(frame));
}

void FakeEdgehub::SendSynced(const std::string& type, uint64_t subscription_id, uint64_t sequence) {
  HubFrame frame = Change(type, subscription_id, sequence);
  frame.mutable_resource()->mutable_synced();
  Send(std::move(frame));
}

void FakeEdgehub::SendReportStored(uint64_t request_id, const absl::Status& status) {
  HubFrame frame;
  frame.mutable_report_stored()->set_request_id(request_id);
  *frame.mutable_report_stored()->mutable_status() = rpc::ToProto(status);
  Send(std::move(frame));
}

bool FakeEdgehub::WaitForAttach(int times) {
  const absl::Time deadline = absl::Now() + kPatience;
  absl::MutexLock lock(&mutex_);
  auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return attached_ >= times; };
  return mutex_.AwaitWithDeadline(absl::Condition(&enough), deadline);
}

void FakeEdgehub::CloseStream(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Close(std::move(status));
}

}  // namespace skerry::edgemeta
