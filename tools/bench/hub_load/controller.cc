#include "tools/bench/hub_load/controller.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/check.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/bidi_client.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/tls.h"

namespace skerry::bench {
namespace {

namespace v1 = cloudhub::v1;

constexpr absl::Duration kRedial = absl::Milliseconds(200);
constexpr size_t kPendingBytesMax = 1u << 30;
constexpr int kKeys = 32;  // Of pods: two pushes of one key are rarely under way.
// Twice as much as the hub sends without an acknowledgement: the rest waits in it.
constexpr int kHostileObjects = 128;
constexpr size_t kHostileObjectBytes = 16u << 10;

// A push of what was subscribed to; the change is still to be set.
v1::Push* PushFor(const v1::Subscribed& message, v1::SpokeFrame& frame) {
  v1::Push* push = frame.mutable_push();
  *push->mutable_session() = message.session();
  push->set_type(message.type());
  push->set_subscription_id(message.subscription_id());
  return push;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Controller>> Controller::Create(EventLoop& loop,
                                                               const Options& options) {
  const std::string clients = options.state_dir + "/clients/";
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::ChannelCredentials> credentials,
                          security::MutualTlsClient({.ca = clients + "ca.crt",
                                                     .cert = clients + "edge-controller.crt",
                                                     .key = clients + "edge-controller.key"}));
  std::unique_ptr<Controller> controller(new Controller(loop, options, std::move(credentials)));
  controller->Dial();
  return controller;
}

Controller::Controller(EventLoop& loop, const Options& options,
                       std::shared_ptr<grpc::ChannelCredentials> credentials)
    : loop_(loop),
      options_(options),
      names_(options.name_prefix),
      credentials_(std::move(credentials)) {
  absl::MutexLock lock(&mutex_);
  nodes_.resize(options.nodes);
}

void Controller::Dial() {
  rpc::ChannelOptions channel;
  channel.target = options_.address;
  channel.credentials = credentials_;
  channel.own_connection = true;
  auto made = rpc::MakeChannel(channel);
  SKERRY_CHECK(made.ok());
  auto stub = v1::SpokeService::NewStub(*made);
  absl::MutexLock lock(&mutex_);
  stream_ = rpc::DialBidi<v1::HubFrame, v1::SpokeFrame>(
      [&](auto* context, auto* reactor) { stub->async()->Attach(context, reactor); },
      {.pending_bytes_max = kPendingBytesMax},
      {.on_message = [this](v1::HubFrame frame) { Handle(frame); },
       .on_closed =
           [this](absl::Status) {
             loop_.Post([this] { loop_.After(kRedial, [this] { Dial(); }); });
           }});
  v1::SpokeFrame frame;
  v1::Register* registration = frame.mutable_register_();
  registration->set_spoke("hub_load/1");
  registration->set_takes_following(true);
  for (const char* type : {"pods", "configmaps", "secrets", "serviceaccounts", "nodes"}) {
    registration->add_resource_types(type);
  }
  for (const char* type : {"pods", "nodes"}) registration->add_report_types(type);
  stream_->Send(std::move(frame));
}

void Controller::Reply(v1::SpokeFrame frame) {
  absl::MutexLock lock(&mutex_);
  stream_->Send(std::move(frame));
}

void Controller::Handle(const v1::HubFrame& frame) {
  switch (frame.body_case()) {
    case v1::HubFrame::kRegistered: {
      absl::MutexLock lock(&mutex_);
      return stream_->SendBundles();
    }
    case v1::HubFrame::kSubscribed:
      return OnSubscribed(frame.subscribed());
    case v1::HubFrame::kPushDone:
      return OnPushDone(frame.push_done());
    case v1::HubFrame::kReport: {
      v1::SpokeFrame done;
      *done.mutable_report_done()->mutable_session() = frame.report().session();
      done.mutable_report_done()->set_sequence(frame.report().report().sequence());
      return Reply(std::move(done));
    }
    default:
      return;
  }
}

void Controller::OnSubscribed(const v1::Subscribed& message) {
  const int number = names_.NumberOf(message.session().node());
  if (number == options_.nodes) return PushToHostile(message);
  if (number < 0 || number > options_.nodes) return;
  if (message.type() == "pods") {
    absl::MutexLock lock(&mutex_);
    nodes_[number].epoch = message.session().epoch();
    nodes_[number].subscription_id = message.subscription_id();
    nodes_[number].pushed.clear();
  }
  // It is in sync with nothing.
  v1::SpokeFrame frame;
  PushFor(message, frame)->mutable_synced();
  Reply(std::move(frame));
}

void Controller::PushToHostile(const v1::Subscribed& message) {
  for (int i = 0; i < kHostileObjects; ++i) {
    v1::SpokeFrame frame;
    auto* upsert = PushFor(message, frame)->mutable_upsert();
    upsert->set_key(absl::StrCat("default/pod-", i));
    upsert->set_version("1");
    upsert->set_object(std::string(kHostileObjectBytes, 'x'));
    Reply(std::move(frame));
  }
}

void Controller::OnPushDone(const v1::PushDone& message) {
  const int number = names_.NumberOf(message.session().node());
  if (number < 0 || number >= options_.nodes) return;
  const absl::Duration now = EventLoop::Now();
  absl::MutexLock lock(&mutex_);
  auto& pushed = nodes_[number].pushed;
  for (const v1::PushDone::Item& item : message.items()) {
    uint64_t version = 0;
    if (!absl::SimpleAtoi(item.version(), &version)) continue;  // Of synced.
    while (!pushed.empty() && pushed.front().first <= version) {
      loop_.Post([this, number, latency = now - pushed.front().second] {
        if (answered_) answered_(number, latency);
      });
      pushed.pop_front();
    }
  }
}

void Controller::Send(int node, absl::string_view payload) {
  v1::SpokeFrame frame;
  v1::Push* push = frame.mutable_push();
  absl::MutexLock lock(&mutex_);
  NodeState& state = nodes_[node];
  push->mutable_session()->set_node(names_.Of(node));
  push->mutable_session()->set_epoch(state.epoch);
  push->set_type("pods");
  push->set_subscription_id(state.subscription_id);
  ++state.version;
  push->mutable_upsert()->set_key(absl::StrCat("default/pod-", state.version % kKeys));
  push->mutable_upsert()->set_version(absl::StrCat(state.version));
  push->mutable_upsert()->set_object(std::string(payload));
  state.pushed.emplace_back(state.version, EventLoop::Now());
  stream_->Send(std::move(frame));
}

}  // namespace skerry::bench
