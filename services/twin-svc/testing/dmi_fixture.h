// The mappers' desk between a box's Devices and fake mappers, with real stores' interfaces.
#ifndef SKERRY_SERVICES_TWIN_SVC_TESTING_DMI_FIXTURE_H_
#define SKERRY_SERVICES_TWIN_SVC_TESTING_DMI_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "services/lib/base/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/runner/device_follower.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/store/sqlite_mapper_store.h"
#include "services/twin-svc/testing/fake_mapper.h"
#include "services/twin-svc/testing/fake_twin_store.h"

namespace skerry::twin {

// Devices plant/<name> of the model plant/pump (target INT, writable, and level FLOAT), protocol
// "modbus".
class DmiTest : public ::testing::Test {
 protected:
  DmiTest() { StartTwins(); }
  ~DmiTest() override { StopMappers(); }

  void StartTwins() {
    desk_ = *TwinDesk::Create(twin_store_, {}, clock_, twin_metrics_,
                              [this](const std::vector<TwinEvent>& events) {
                                absl::MutexLock lock(&mutex_);
                                if (mappers_ != nullptr) mappers_->OnTwins(events);
                              });
  }
  // As a start of twin-svc does: nothing is known of Devices.
  void StartMappers(const MapperDesk::Options& options = {}) {
    mapper_store_ = *SqliteMapperStore::Open(dir_.File("mappers.db"));
    auto mappers =
        *MapperDesk::Create(options, *mapper_store_, *desk_, clock_, metrics_, log::Logger::Null());
    {
      absl::MutexLock lock(&mutex_);
      mappers_ = std::move(mappers);
    }
    follower_ = std::make_unique<DeviceFollower>(
        *desk_, clock_, twin_metrics_, log::Logger::Null(), [](bool) {}, mappers_.get());
  }
  void StopMappers() {
    std::unique_ptr<MapperDesk> mappers;
    {
      absl::MutexLock lock(&mutex_);
      mappers = std::move(mappers_);
    }
    follower_.reset();
    mappers.reset();
    mapper_store_.reset();
  }

  void PutModel(const std::string& description = "") {
    follower_->OnObject(
        kModels, "plant/pump",
        absl::StrCat(R"({"metadata":{"namespace":"plant","name":"pump"},"spec":{"properties":[
        {"name":"target","type":"INT","accessMode":"ReadWrite"},
        {"name":"level","type":"FLOAT","accessMode":"ReadOnly","description":")",
                     description, R"("}]}})"));
  }
  void PutDevice(const std::string& name, int generation, const std::string& target,
                 const std::string& protocol = "modbus", const std::string& config = "{}") {
    follower_->OnObject(
        kDevices, absl::StrCat("plant/", name),
        absl::StrCat(R"({"metadata":{"namespace":"plant","name":")", name, R"(","uid":"u-)", name,
                     R"(","generation":)", generation,
                     R"(},"spec":{"deviceModelRef":{"name":"pump"},"protocol":{"protocolName":")",
                     protocol, R"(","configData":)", config,
                     R"(},"properties":[{"name":"target","desired":{"value":")", target,
                     R"("}},{"name":"level"}]}})"));
    Settle();
  }
  void DropDevice(const std::string& name) {
    follower_->OnObjectDeleted(kDevices, absl::StrCat("plant/", name));
    Settle();
  }
  absl::Status DoWrite(const std::string& device, Write write) {
    absl::Status status;
    absl::Notification done;
    desk_->Submit(*DeviceName::Make("plant", device), std::move(write), false,
                  [&](const absl::StatusOr<Written>& written) {
                    status = written.status();
                    done.Notify();
                  });
    done.WaitForNotification();
    return status;
  }
  absl::Status WriteTarget(const std::string& device, const std::string& value) {
    return DoWrite(device, {.desired = {{"target", Value{.value = value, .writer = "panel"}}}});
  }
  // What was declared is committed.
  void Settle() { DoWrite("none", {}).IgnoreError(); }

  static v1beta1::MapperRegisterRequest Registration(const std::string& name,
                                                     const std::string& path,
                                                     const std::string& protocol = "modbus") {
    v1beta1::MapperRegisterRequest request;
    request.set_withdata(true);
    request.mutable_mapper()->set_name(name);
    request.mutable_mapper()->set_protocol(protocol);
    request.mutable_mapper()->set_address(path);
    return request;
  }
  absl::StatusOr<v1beta1::MapperRegisterResponse> Register(
      const v1beta1::MapperRegisterRequest& request, absl::Duration patience = absl::Seconds(20)) {
    absl::StatusOr<v1beta1::MapperRegisterResponse> answer = absl::UnknownError("");
    absl::Notification done;
    mappers_->Register(request, patience,
                       [&](absl::StatusOr<v1beta1::MapperRegisterResponse> response) {
                         answer = std::move(response);
                         done.Notify();
                       });
    done.WaitForNotification();
    return answer;
  }
  // The mapper registers and takes what it is answered.
  void Attach(FakeMapper& mapper, const std::string& name = "pumps",
              const std::string& protocol = "modbus") {
    const auto answer = Register(Registration(name, mapper.path(), protocol));
    ASSERT_TRUE(answer.ok()) << answer.status();
    mapper.Take(*answer);
  }
  absl::StatusOr<v1::MethodResult> CallMethod(const v1::MethodCall& call,
                                              absl::Duration timeout = absl::Seconds(20)) {
    absl::StatusOr<v1::MethodResult> answer = absl::UnknownError("");
    absl::Notification done;
    mappers_->CallMethod(call, timeout, [&](absl::StatusOr<v1::MethodResult> result) {
      answer = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }

  skerry::testing::TempDir dir_;
  SystemClock clock_;
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics twin_metrics_{registry_};
  DmiMetrics metrics_{registry_};
  FakeTwinStore twin_store_;
  std::unique_ptr<SqliteMapperStore> mapper_store_;
  absl::Mutex mutex_;
  std::unique_ptr<MapperDesk> mappers_;
  std::unique_ptr<TwinDesk> desk_;
  std::unique_ptr<DeviceFollower> follower_;
  FakeMapper mapper_{dir_.File("pumps.sock")};
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TESTING_DMI_FIXTURE_H_
