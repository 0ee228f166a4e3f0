#include "services/lib/metaclient/meta_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::metaclient {
namespace {

namespace meta = skerry::meta::v1;

// Says `synced`, and nothing more; takes no report before its caller has gone.
class SilentMeta final : public meta::MetaService::CallbackService {
 public:
  grpc::ServerWriteReactor<meta::WatchObjectsResponse>* WatchObjects(
      grpc::CallbackServerContext*, const meta::WatchObjectsRequest*) override {
    class Reactor final : public grpc::ServerWriteReactor<meta::WatchObjectsResponse> {
     public:
      Reactor() {
        response_.mutable_synced();
        StartWrite(&response_);
      }
      void OnCancel() override { Finish(grpc::Status::CANCELLED); }
      void OnDone() override { delete this; }

     private:
      meta::WatchObjectsResponse response_;
    };
    return new Reactor;
  }
  grpc::ServerUnaryReactor* PutReport(grpc::CallbackServerContext*, const meta::PutReportRequest*,
                                      meta::PutReportResponse*) override {
    class Reactor final : public grpc::ServerUnaryReactor {
     public:
      void OnCancel() override { Finish(grpc::Status::CANCELLED); }
      void OnDone() override { delete this; }
    };
    return new Reactor;
  }
};

class Listener final : public MetaListener {
 public:
  void OnObject(const std::string&, const std::string&, const std::string&) override {}
  void OnObjectDeleted(const std::string&, const std::string&) override {}
  void OnSynced() override { synced.Notify(); }
  void OnConnected(bool) override {}
  void OnReportSent(bool) override {}

  absl::Notification synced;
};

// An executor in memory that is nobody's afterwards: whoever still uses it finds nonsense.
class Grave {
 public:
  explicit Grave(Clock& clock) : executor_(new (memory_) exec::SerialExecutor("meta", clock)) {}
  exec::SerialExecutor& executor() { return *executor_; }
  void Bury() {
    executor_->~SerialExecutor();
    std::memset(memory_, 0xff, sizeof memory_);
  }

 private:
  alignas(exec::SerialExecutor) unsigned char memory_[sizeof(exec::SerialExecutor)];
  exec::SerialExecutor* const executor_;
};

// gRPC says that a call has ended at some time after it was cancelled.
TEST(MetaClientTest, NothingOfACallThatEndsAfterCloseReachesTheExecutor) {
  testing::TempDir folder;
  const std::string address = absl::StrCat("unix:", folder.File("meta.sock"));
  SilentMeta service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  SystemClock clock;
  std::vector<std::unique_ptr<Grave>> graves;
  for (int i = 0; i < 200; ++i) {
    Listener listener;
    graves.push_back(std::make_unique<Grave>(clock));
    exec::SerialExecutor& executor = graves.back()->executor();
    auto client = MetaClient::Create({.address = address, .types = {"pods"}}, executor, listener,
                                     log::Logger::Null());
    ASSERT_TRUE(client.ok()) << client.status();
    (*client)->Start();
    (*client)->Report("pods", "d/a", 1, "{}");
    listener.synced.WaitForNotification();
    (*client)->Close();
    graves.back()->Bury();
  }
}

}  // namespace
}  // namespace skerry::metaclient
