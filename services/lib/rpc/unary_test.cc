#include "services/lib/rpc/unary.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/fake_edged.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::rpc {
namespace {

using ::testing::HasSubstr;

class UnaryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = *Server::Create({.listen = "127.0.0.1:0", .registry = &registry_}, {&service_});
    channel_ = *MakeChannel({.target = server_->address(), .own_connection = true});
  }

  exec::ThreadPool pool_{"test", 2, 2};
  FakeEdged service_{pool_};
  metrics::Registry registry_{"test-svc"};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(UnaryTest, CarriesErrorInfo) {
  service_.handler = [](const CallScope&) -> absl::Status {
    return Error(absl::StatusCode::kFailedPrecondition, "not bound")
        .Reason("DEVICE_UNBOUND")
        .Meta("device", "d1");
  };
  absl::Status status = Get(channel_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "not bound");
  EXPECT_EQ(GetErrorInfo(status).reason, "DEVICE_UNBOUND");
  EXPECT_EQ(GetErrorInfo(status).metadata.at("device"), "d1");
}

TEST_F(UnaryTest, RefusesWhenThePoolIsFull) {
  absl::Notification release;
  std::atomic<int> running = 0;
  service_.handler = [&](const CallScope&) {
    ++running;
    release.WaitForNotification();
    return absl::OkStatus();
  };
  std::atomic<int> good = 0;
  std::atomic<int> busy = 0;
  std::vector<std::thread> callers;
  auto call = [&](int count) {
    for (int i = 0; i < count; ++i) {
      callers.emplace_back([&] {
        absl::Status status = Get(channel_);
        if (status.ok()) ++good;
        if (GetErrorInfo(status).reason == "SERVER_BUSY") ++busy;
      });
    }
  };
  auto wait = [](const std::function<bool()>& condition) {
    absl::Time limit = absl::Now() + kPatience;
    while (!condition() && absl::Now() < limit) std::this_thread::yield();
    EXPECT_TRUE(condition());
  };
  call(2);
  wait([&] { return running.load() == 2; });
  call(2);
  wait([&] { return pool_.queued() == 2; });
  call(4);
  wait([&] { return busy.load() == 4; });
  release.Notify();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(good.load(), 4);
  EXPECT_EQ(busy.load(), 4);
}

TEST_F(UnaryTest, TellsTheHandlerOfCancellation) {
  absl::Notification cancelled;
  service_.handler = [&](const CallScope& scope) {
    absl::Time limit = absl::Now() + kPatience;
    while (!scope.IsCancelled() && absl::Now() < limit) std::this_thread::yield();
    if (scope.IsCancelled()) cancelled.Notify();
    return absl::OkStatus();
  };
  EXPECT_EQ(Get(channel_, absl::Milliseconds(200)).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(cancelled.WaitForNotificationWithTimeout(kPatience));
}

TEST_F(UnaryTest, GivesADeadlineToCallsWithoutOne) {
  absl::Time deadline;
  service_.handler = [&](const CallScope& scope) {
    deadline = scope.deadline;
    return absl::OkStatus();
  };
  auto stub = skerry::edged::v1::EdgedService::NewStub(channel_);
  grpc::ClientContext context;
  skerry::edged::v1::EdgedStatus response;
  ASSERT_TRUE(stub->GetStatus(&context, {}, &response).ok());
  EXPECT_EQ(response.runtime(), "containerd");
  EXPECT_LT(deadline, absl::Now() + absl::Seconds(11));
}

TEST_F(UnaryTest, CountsCallsByMethodAndCode) {
  EXPECT_THAT(Get(channel_), testing::IsOk());
  service_.handler = [](const CallScope&) { return absl::NotFoundError("no"); };
  EXPECT_FALSE(Get(channel_).ok());
  std::string text = registry_.Render();
  auto series = [](const char* code) {
    return absl::StrCat("skerry_rpc_server_handling_seconds_count{code=\"", code,
                        "\",method=\"GetStatus\",service=\"skerry.edged.v1.EdgedService\"} 1");
  };
  EXPECT_THAT(text, HasSubstr(series("OK")));
  EXPECT_THAT(text, HasSubstr(series("NOT_FOUND")));
}

TEST_F(UnaryTest, ShutdownWaitsForRunningCalls) {
  absl::Notification running;
  absl::Notification release;
  service_.handler = [&](const CallScope&) {
    running.Notify();
    release.WaitForNotification();
    return absl::OkStatus();
  };
  absl::Status answer = absl::UnknownError("none");
  std::thread caller([&] { answer = Get(channel_); });
  running.WaitForNotification();
  std::thread stopper([&] { server_->Shutdown(absl::Now() + absl::Seconds(10)); });
  release.Notify();
  stopper.join();
  caller.join();
  EXPECT_THAT(answer, testing::IsOk());
}

TEST_F(UnaryTest, SaysWhetherItServes) {
  auto health = [this](const std::string& service) {
    // grpc.health.v1.HealthCheckRequest{service = 1} by hand: the generated code is not installed.
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(kPatience));
    std::string bytes =
        service.empty() ? "" : absl::StrCat("\x0a", std::string(1, char(service.size())), service);
    grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
    call->StartCall();
    call->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    if (!status.ok()) return -1;
    grpc::Slice answer;
    response.DumpToSingleSlice(&answer);
    return answer.size() == 2 ? static_cast<int>(answer.begin()[1]) : 0;
  };
  constexpr int kServing = 1;
  constexpr int kNotServing = 2;
  server_->SetServing(true);
  EXPECT_EQ(health(""), kServing);
  EXPECT_EQ(health("skerry.edged.v1.EdgedService"), kServing);
  server_->SetServing(false);
  EXPECT_EQ(health(""), kNotServing);
  EXPECT_EQ(health("skerry.edged.v1.EdgedService"), kNotServing);
  EXPECT_EQ(health("unknown"), -1);
}

// GetStatus is answered by whom the test gives the call to.
class AsyncEdged final : public skerry::edged::v1::EdgedService::CallbackService {
 public:
  using Finish = absl::AnyInvocable<void(absl::Status)>;

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const skerry::edged::v1::GetStatusRequest*,
                                      skerry::edged::v1::EdgedStatus*) override {
    return RunAsync(context, [this](const CallScope& scope, Finish finish) {
      has_deadline = scope.deadline < absl::InfiniteFuture();
      begin(std::move(finish));
    });
  }

  std::function<void(Finish)> begin;
  std::atomic<bool> has_deadline = false;
};

class AsyncTest : public ::testing::Test {
 protected:
  AsyncEdged service_;
  std::unique_ptr<Server> server_ = *Server::Create({.listen = "127.0.0.1:0"}, {&service_});
  std::shared_ptr<grpc::Channel> channel_ =
      *MakeChannel({.target = server_->address(), .own_connection = true});
};

TEST_F(AsyncTest, TheAnswerComesFromAnotherThread) {
  std::thread answerer;
  service_.begin = [&](AsyncEdged::Finish finish) {
    answerer = std::thread([finish = std::move(finish)]() mutable {
      finish(Error(absl::StatusCode::kAborted, "lost").Reason("DESIRED_CHANGED"));
    });
  };
  EXPECT_EQ(GetErrorInfo(Get(channel_)).reason, "DESIRED_CHANGED");
  EXPECT_TRUE(service_.has_deadline);
  answerer.join();
}

TEST_F(AsyncTest, TheAnswerMayComeAtOnce) {
  service_.begin = [](AsyncEdged::Finish finish) { finish(absl::OkStatus()); };
  EXPECT_TRUE(Get(channel_).ok());
}

TEST_F(AsyncTest, ACallThatIsDroppedEnds) {
  service_.begin = [](const AsyncEdged::Finish&) {};
  EXPECT_EQ(Get(channel_).code(), absl::StatusCode::kInternal);
}

TEST_F(AsyncTest, TheAnswerMayComeWhenTheClientIsGone) {
  AsyncEdged::Finish kept;
  service_.begin = [&](AsyncEdged::Finish finish) { kept = std::move(finish); };
  EXPECT_EQ(Get(channel_, absl::Milliseconds(50)).code(), absl::StatusCode::kDeadlineExceeded);
  kept(absl::OkStatus());
}

}  // namespace
}  // namespace skerry::rpc
