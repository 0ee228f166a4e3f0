// How events reach edgehub-svc: against a real gRPC server that a test answers for.
#include "services/edged-svc/adapters/edgehub_spoke.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/edged/v1/event.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/lib/rpc/bidi_server.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

namespace hub = skerry::edgehub::v1;
using HubStream = rpc::Stream<hub::HubFrame>;

// Answers Register by itself, nothing else.
class FakeEdgehub final : public hub::SpokeService::CallbackService {
 public:
  explicit FakeEdgehub(const std::string& listen)
      : server_(*rpc::Server::Create({.listen = listen}, {this})) {}
  ~FakeEdgehub() override { server_->Shutdown(absl::Now()); }

  // The next frame that is not Register; of no kind after 20 s.
  hub::SpokeFrame Next() {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return !frames_.empty(); };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20))) return {};
    hub::SpokeFrame frame = std::move(frames_.front());
    frames_.pop_front();
    return frame;
  }
  void Answer(const hub::SpokeFrame& put, uint32_t stored, const absl::Status& status) {
    hub::HubFrame frame;
    frame.mutable_events_stored()->set_request_id(put.put_events().request_id());
    frame.mutable_events_stored()->set_stored(stored);
    *frame.mutable_events_stored()->mutable_status() = rpc::ToProto(status);
    absl::MutexLock lock(&mutex_);
    stream_->Send(std::move(frame));
  }
  void Cut() {
    absl::MutexLock lock(&mutex_);
    stream_->Close(absl::UnavailableError("restarting"));
  }
  hub::Register registration() {
    absl::MutexLock lock(&mutex_);
    return registration_;
  }

  grpc::ServerBidiReactor<hub::SpokeFrame, hub::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override {
    return rpc::AcceptBidi<hub::SpokeFrame, hub::HubFrame>(
        context, {}, [this](const rpc::CallScope&, std::shared_ptr<HubStream> stream) {
          absl::MutexLock lock(&mutex_);
          stream_ = std::move(stream);
          return rpc::StreamEvents<hub::SpokeFrame>{
              .on_message = [this](hub::SpokeFrame frame) { OnFrame(std::move(frame)); },
              .on_closed = nullptr};
        });
  }

 private:
  void OnFrame(hub::SpokeFrame frame) {
    absl::MutexLock lock(&mutex_);
    if (!frame.has_register_()) return frames_.push_back(std::move(frame));
    registration_ = frame.register_();
    hub::HubFrame answer;
    answer.mutable_registered()->set_node("edge-1");
    stream_->Send(std::move(answer));
  }

  absl::Mutex mutex_;
  std::shared_ptr<HubStream> stream_;
  std::deque<hub::SpokeFrame> frames_;
  hub::Register registration_;
  std::unique_ptr<rpc::Server> server_;
};

class EdgehubSpokeTest : public ::testing::Test {
 protected:
  EdgehubSpokeTest() {
    spoke_ = *EdgehubSpoke::Create(
        {.address = address_,
         .reconnect_max = absl::Milliseconds(200),
         .store_retry = absl::Milliseconds(20)},
        events_, executor_, [](std::shared_ptr<pipe::ByteStream>) {}, log::Logger::Null());
    spoke_->Start();
  }
  ~EdgehubSpokeTest() override {
    spoke_->Stop();
    executor_.Stop();
  }

  void Record(const std::string& pod) {
    events_.Record({"Pod", "ns", pod, pod, "spec.containers{c}"}, EventType::kWarning, "BackOff",
                   "m");
  }
  // "pod=count …" of a request.
  static std::string Show(const hub::SpokeFrame& frame) {
    std::string out;
    for (const hub::PutEvents::Event& event : frame.put_events().events()) {
      v1::KubernetesEvent value;
      EXPECT_TRUE(value.ParseFromString(event.value()));
      absl::StrAppend(&out, value.name(), "=", value.count(), " ");
    }
    return out;
  }

  testing::TempDir folder_;
  const std::string address_ = "unix:" + folder_.File("edgehub.sock");
  SystemClock clock_;
  metrics::Registry registry_{"test"};
  EdgedMetrics metrics_{registry_};
  EventRecorder events_{"i", clock_, metrics_};
  exec::SerialExecutor executor_{"test", clock_};
  std::unique_ptr<EdgehubSpoke> spoke_;
};

TEST_F(EdgehubSpokeTest, SendsWhatHappenedBeforeThereWasAHub) {
  Record("p");
  FakeEdgehub hub(address_);
  const hub::SpokeFrame put = hub.Next();
  EXPECT_EQ(put.put_events().stream(), "events");
  ASSERT_EQ(Show(put), "p=1 ");
  v1::KubernetesEvent event;
  ASSERT_TRUE(event.ParseFromString(put.put_events().events(0).value()));
  EXPECT_EQ(event.kind(), "Pod");
  EXPECT_EQ(event.field_path(), "spec.containers{c}");
  EXPECT_EQ(event.type(), v1::KubernetesEvent::TYPE_WARNING);
  EXPECT_EQ(event.reason(), "BackOff");
  EXPECT_NEAR(static_cast<double>(event.first_time().seconds()),
              static_cast<double>(absl::ToUnixSeconds(absl::Now())), 60);
  EXPECT_EQ(hub.registration().tunnel_types(0), "kubelet");
  ASSERT_EQ(hub.registration().event_streams_size(), 1);
  EXPECT_EQ(hub.registration().event_streams(0).priority(), hub::EventStream::PRIORITY_BULK);
}

TEST_F(EdgehubSpokeTest, OneBatchAtATime) {
  FakeEdgehub hub(address_);
  Record("p");
  const hub::SpokeFrame first = hub.Next();
  EXPECT_EQ(Show(first), "p=1 ");
  Record("p");
  Record("p");
  Record("q");
  hub.Answer(first, 1, absl::OkStatus());
  EXPECT_EQ(Show(hub.Next()), "p=3 q=1 ");
}

TEST_F(EdgehubSpokeTest, WhatWasNotAnsweredGoesAgain) {
  FakeEdgehub hub(address_);
  Record("p");
  EXPECT_EQ(Show(hub.Next()), "p=1 ");
  hub.Cut();
  const hub::SpokeFrame again = hub.Next();
  EXPECT_EQ(Show(again), "p=1 ");
  hub.Answer(again, 0, absl::InternalError("disk full"));
  EXPECT_EQ(Show(hub.Next()), "p=1 ");
}

// It would hold up all others.
TEST_F(EdgehubSpokeTest, WhatIsRefusedForGoodIsGivenUp) {
  FakeEdgehub hub(address_);
  Record("p");
  const hub::SpokeFrame first = hub.Next();
  Record("q");
  hub.Answer(first, 0, absl::InvalidArgumentError("no"));
  EXPECT_EQ(Show(hub.Next()), "q=1 ");
}

}  // namespace
}  // namespace skerry::edged
