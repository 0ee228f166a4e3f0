#include "services/lib/cloudspoke/testing/fake_hub.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/cloudhub/v1/spoke_service.grpc.pb.h"
#include "services/lib/base/check.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/server.h"

namespace skerry::cloudspoke {

using cloudhub::v1::HubFrame;
using cloudhub::v1::SpokeFrame;

struct FakeHub::Impl final : public cloudhub::v1::SpokeService::CallbackService {
  grpc::ServerBidiReactor<SpokeFrame, HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<SpokeFrame, HubFrame>(
        context, {},
        [this](const rpc::CallScope&, std::shared_ptr<rpc::Stream<HubFrame>> accepted) {
          {
            absl::MutexLock lock(&mutex);
            stream = accepted;
          }
          return rpc::StreamEvents<SpokeFrame>{
              .on_message = [this](SpokeFrame frame) { OnFrame(frame); },
              .on_closed =
                  [this, accepted](absl::Status) {
                    absl::MutexLock lock(&mutex);
                    if (stream != accepted) return;
                    stream = nullptr;
                    attached = false;
                  }};
        });
  }

  void OnFrame(const SpokeFrame& frame) {
    absl::MutexLock lock(&mutex);
    if (frame.has_register_()) {
      registration = frame.register_();
      HubFrame answer;
      answer.mutable_registered()->set_hub("fake");
      stream->Send(std::move(answer));
      attached = true;
      ++attachments;
      return;
    }
    if (frame.has_push()) {
      const auto& push = frame.push();
      const std::string where = absl::StrCat(push.session().node(), " ", push.type());
      if (push.has_upsert()) {
        said.push_back(absl::StrCat(where, " + ", push.upsert().key()));
        pushed[absl::StrCat(where, " ", push.upsert().key())] = push.upsert().object();
      } else if (push.has_delete_()) {
        said.push_back(absl::StrCat(where, " - ", push.delete_().key()));
        pushed.erase(absl::StrCat(where, " ", push.delete_().key()));
      } else {
        said.push_back(absl::StrCat(where, " synced"));
      }
    } else if (frame.has_report_done()) {
      const auto& done = frame.report_done();
      said.push_back(absl::StrCat(
          done.session().node(), " done ", done.sequence(), " ",
          absl::StatusCodeToString(static_cast<absl::StatusCode>(done.status().code()))));
    } else if (frame.has_events_done()) {
      const auto& done = frame.events_done();
      for (const auto& rejection : done.rejections()) {
        said.push_back(absl::StrCat(
            done.session().node(), " event ", rejection.sequence(), " ",
            absl::StatusCodeToString(static_cast<absl::StatusCode>(rejection.status().code()))));
      }
      said.push_back(absl::StrCat(done.session().node(), " events done ", done.sequence()));
    }
  }

  mutable absl::Mutex mutex;
  std::shared_ptr<rpc::Stream<HubFrame>> stream;
  bool attached = false;
  int attachments = 0;
  cloudhub::v1::Register registration;
  std::vector<std::string> said;
  std::map<std::string, std::string> pushed;
  std::unique_ptr<rpc::Server> server;  // Last: stops before what it serves goes.
};

FakeHub::FakeHub(int port) : impl_(std::make_unique<Impl>()) {
  absl::StatusOr<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Create({.listen = absl::StrCat("127.0.0.1:", port)}, {impl_.get()});
  SKERRY_CHECK(server.ok());
  impl_->server = *std::move(server);
}

FakeHub::~FakeHub() {
  Cut();
  impl_->server->Shutdown(absl::Now() + absl::Seconds(1));
}

std::string FakeHub::address() const { return impl_->server->address(); }

int FakeHub::port() const {
  const std::string address = impl_->server->address();
  int port = 0;
  SKERRY_CHECK(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  return port;
}

bool FakeHub::AwaitAttached(absl::Duration limit) {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->mutex.AwaitWithTimeout(absl::Condition(&impl_->attached), limit);
}

int FakeHub::attachments() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->attachments;
}

cloudhub::v1::Register FakeHub::registration() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->registration;
}

void FakeHub::Cut() {
  std::shared_ptr<rpc::Stream<HubFrame>> stream;
  {
    absl::MutexLock lock(&impl_->mutex);
    stream = impl_->stream;
    impl_->attached = false;
  }
  if (stream != nullptr) stream->Close(absl::UnavailableError("the hub goes away"));
}

void FakeHub::Send(HubFrame frame) {
  absl::MutexLock lock(&impl_->mutex);
  SKERRY_CHECK(impl_->stream != nullptr);
  impl_->stream->Send(std::move(frame));
}

void FakeHub::Connect(const std::string& node, uint64_t epoch, const std::string& event_store_id) {
  HubFrame frame;
  frame.mutable_node_connected()->mutable_session()->set_node(node);
  frame.mutable_node_connected()->mutable_session()->set_epoch(epoch);
  frame.mutable_node_connected()->set_event_store_id(event_store_id);
  Send(std::move(frame));
}

void FakeHub::Disconnect(const std::string& node, uint64_t epoch) {
  HubFrame frame;
  frame.mutable_node_disconnected()->mutable_session()->set_node(node);
  frame.mutable_node_disconnected()->mutable_session()->set_epoch(epoch);
  frame.mutable_node_disconnected()->set_reason("CLOSED");
  Send(std::move(frame));
}

void FakeHub::Subscribe(const std::string& node, uint64_t epoch, const std::string& type,
                        uint64_t id,
                        const std::vector<std::pair<std::string, std::string>>& holdings,
                        bool more) {
  HubFrame frame;
  auto* subscribed = frame.mutable_subscribed();
  subscribed->mutable_session()->set_node(node);
  subscribed->mutable_session()->set_epoch(epoch);
  subscribed->set_type(type);
  subscribed->set_subscription_id(id);
  subscribed->set_more(more);
  for (const auto& [key, version] : holdings) {
    auto* holding = subscribed->add_holdings();
    holding->set_key(key);
    holding->set_version(version);
  }
  Send(std::move(frame));
}

void FakeHub::Report(const std::string& node, uint64_t epoch, uint64_t sequence,
                     const std::string& type, const std::string& key, const std::string& value) {
  HubFrame frame;
  auto* report = frame.mutable_report();
  report->mutable_session()->set_node(node);
  report->mutable_session()->set_epoch(epoch);
  report->mutable_report()->set_sequence(sequence);
  report->mutable_report()->set_type(type);
  report->mutable_report()->set_key(key);
  report->mutable_report()->set_value(value);
  Send(std::move(frame));
}

void FakeHub::Events(const std::string& node, uint64_t epoch, uint64_t sequence,
                     const std::vector<std::string>& values, const std::string& stream) {
  HubFrame frame;
  auto* events = frame.mutable_events();
  events->mutable_session()->set_node(node);
  events->mutable_session()->set_epoch(epoch);
  events->set_stream(stream);
  for (const std::string& value : values) {
    auto* event = events->add_events();
    event->set_sequence(sequence++);
    event->set_value(value);
  }
  Send(std::move(frame));
}

std::vector<std::string> FakeHub::Said() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->said;
}

bool FakeHub::AwaitSaid(const std::string& line, int times, absl::Duration limit) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto there = [&] {
    return std::count(impl_->said.begin(), impl_->said.end(), line) >= times;
  };
  return impl_->mutex.AwaitWithTimeout(absl::Condition(&there), limit);
}

std::string FakeHub::Pushed(const std::string& node, const std::string& type,
                            const std::string& key) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto it = impl_->pushed.find(absl::StrCat(node, " ", type, " ", key));
  return it == impl_->pushed.end() ? "" : it->second;
}

}  // namespace skerry::cloudspoke
