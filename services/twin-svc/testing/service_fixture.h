// TwinService over gRPC, its desk with a real store behind it, and one device, plant/pump-1.
#ifndef SKERRY_SERVICES_TWIN_SVC_TESTING_SERVICE_FIXTURE_H_
#define SKERRY_SERVICES_TWIN_SVC_TESTING_SERVICE_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/service.h"
#include "services/twin-svc/store/sqlite_twin_store.h"

namespace skerry::twin {

inline constexpr char kPump[] = "namespaces/plant/devices/pump-1/twin";
inline constexpr auto kPatience = std::chrono::seconds(30);

inline Declaration PumpLike(int64_t generation, const std::string& target) {
  return {
      "u1", generation, {{"target", {Value{.value = target, .writer = "cloud"}}}, {"level", {}}}};
}

class NoMappers final : public MethodCaller {
 public:
  void CallMethod(v1::MethodCall, absl::Duration timeout, Done done) override {
    EXPECT_GT(timeout, absl::Seconds(1));
    EXPECT_LE(timeout, absl::Seconds(31)) << "gRPC rounds up";
    done(Error(absl::StatusCode::kUnavailable, "away").Reason("MAPPER_AWAY"));
  }
};

class TwinServiceTest : public ::testing::Test {
 protected:
  TwinServiceTest() {
    watches_.SetDesk(*desk_);
    server_ = *rpc::Server::Create({.listen = absl::StrCat("unix:", folder_.path(), "/s.sock")},
                                   {&service_});
    stub_ = v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = server_->address(), .own_connection = true}));
    Declare("pump-1", 1, "20");
  }

  void Declare(const std::string& name, int64_t generation, const std::string& target) {
    desk_->Declare(*DeviceName::Make("plant", name), PumpLike(generation, target), nullptr);
    // The desk does one thing after the other.
    v1::WriteTwinRequest request;
    request.set_name(absl::StrCat("namespaces/plant/devices/", name, "/twin"));
    request.set_writer("test");
    EXPECT_THAT(Call(request).status(), skerry::testing::IsOk());
  }
  absl::StatusOr<v1::WriteTwinResponse> Call(const v1::WriteTwinRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::WriteTwinResponse response;
    absl::Status status = rpc::FromGrpc(stub_->WriteTwin(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::BatchWriteTwinsResponse> Batch(const v1::BatchWriteTwinsRequest& request) {
    v1::BatchWriteTwinsResponse response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->BatchWriteTwins(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  // Until all are done, those that had no room again; returns in how many calls.
  int SendAll(v1::BatchWriteTwinsRequest request) {
    int calls = 0;
    for (; request.requests_size() > 0; ++calls) {
      const auto response = Batch(request);
      EXPECT_THAT(response, skerry::testing::IsOk());
      if (!response.ok()) break;
      EXPECT_LT(response->ByteSizeLong(), 3u << 20);
      v1::BatchWriteTwinsRequest rest;
      for (int i = 0; i < request.requests_size(); ++i) {
        if (response->results(i).has_written()) {
          EXPECT_EQ(rest.requests_size(), 0) << "those that are not done are the last ones";
          continue;
        }
        EXPECT_THAT(rpc::FromProto(response->results(i).error()),
                    skerry::testing::HasReason("ANSWER_FULL"));
        *rest.add_requests() = request.requests(i);
      }
      if (rest.requests_size() == request.requests_size()) break;
      request = rest;
    }
    return calls;
  }
  absl::StatusOr<v1::Twin> Get(const std::string& name) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::GetTwinRequest request;
    request.set_name(name);
    v1::Twin response;
    absl::Status status = rpc::FromGrpc(stub_->GetTwin(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::ListTwinsResponse> List(int page_size, const std::string& token = "",
                                             const std::string& only = "") {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::ListTwinsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_namespace_(only);
    v1::ListTwinsResponse response;
    absl::Status status = rpc::FromGrpc(stub_->ListTwins(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::DeviceState> State(const std::string& state, const std::string& reason = "",
                                        const std::string& name = kPump) {
    v1::ReportStateRequest request;
    request.set_name(name);
    request.set_state(state);
    request.set_reason(reason);
    request.set_writer("mapper");
    v1::DeviceState response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->ReportState(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::ListReadingsResponse> Readings(const v1::ListReadingsRequest& request) {
    v1::ListReadingsResponse response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->ListReadings(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  static v1::WriteTwinRequest Reports(const std::string& property, const std::string& value) {
    v1::WriteTwinRequest request;
    request.set_name(kPump);
    request.set_writer("mapper");
    (*request.mutable_reported())[property].set_value(value);
    return request;
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics metrics_{registry_};
  std::unique_ptr<SqliteTwinStore> store_ =
      *SqliteTwinStore::Open(folder_.File("twins.db"), {}, clock_);
  std::unique_ptr<ReadingLog> readings_ = *ReadingLog::Open(folder_.File("twins.db"));
  exec::ThreadPool pool_{"readings", 1, 8};
  TwinWatches watches_{metrics_};
  std::unique_ptr<TwinDesk> desk_ =
      *TwinDesk::Create(*store_, {}, clock_, metrics_,
                        [this](const std::vector<TwinEvent>& events) { watches_.Publish(events); });
  NoMappers mappers_;
  MethodCalls methods_{mappers_};
  TwinServiceImpl service_{*desk_, watches_, *readings_, methods_, pool_, clock_};
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::TwinService::Stub> stub_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TESTING_SERVICE_FIXTURE_H_
