#include "services/eventbus-svc/adapters/twin_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/testing/fake_twin_service.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::eventbus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::_;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr int kEnough = 5000;
constexpr absl::Duration kPatience = absl::Seconds(10);

// Counts the watches that were begun.
class Attempts final : public TwinWatcher {
 public:
  void OnTwin(twin::v1::Twin) override {}
  void OnTwinDeleted(const DeviceName&) override {}
  void OnTwinsSynced() override {}
  void OnTwinsConnected(bool connected) override {
    absl::MutexLock lock(&mutex_);
    if (connected && count_ < kEnough) ++count_;
  }
  // Returns how many there were when they were enough, or no more came.
  int Await(int enough) {
    absl::MutexLock lock(&mutex_);
    for (int before = -1; count_ < enough && count_ > before;) {
      before = count_;
      const auto more = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return count_ > before; };
      mutex_.AwaitWithTimeout(absl::Condition(&more), kPatience);
    }
    return count_;
  }

 private:
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(TwinClient, AWatchBeginsAnewHoweverSoon) {
  skerry::testing::TempDir folder;
  SystemClock clock;
  exec::SerialExecutor executor("test", clock);
  Attempts attempts;
  // Nobody listens, and it waits for nothing: the next attempt is while the last one still ends.
  absl::StatusOr<std::unique_ptr<TwinClient>> client =
      TwinClient::Create({.address = absl::StrCat("unix:", folder.File("twin.sock")),
                          .reconnect_max = absl::Nanoseconds(1)},
                         executor, log::Logger::Null());
  ASSERT_THAT(client, IsOk());
  (*client)->Watch(attempts);
  EXPECT_EQ(attempts.Await(kEnough), kEnough);
  (*client)->Close();
  executor.Stop();
}

class TwinWritesTest : public ::testing::Test {
 protected:
  static constexpr int kDevices = 40;

  TwinWritesTest() {
    for (int i = 0; i < kDevices; ++i) fake_->AddDevice(absl::StrCat("plant/d", i));
  }
  ~TwinWritesTest() override {
    client_->Close();
    executor_.Stop();
  }

  // Value `i` for the device.
  void Write(int i, const std::string& device) {
    twin::v1::WriteTwinRequest request;
    request.set_name(absl::StrCat("namespaces/plant/devices/", device, "/twin"));
    request.set_writer("mqtt");
    (*request.mutable_reported())["n"].set_value(absl::StrCat(i));
    client_->WriteTwin(request, [this, i](absl::StatusOr<twin::v1::WriteTwinResponse> response) {
      absl::MutexLock lock(&mutex_);
      if (response.ok()) {
        EXPECT_EQ(response->after().properties().at("n").reported().value(), absl::StrCat(i));
      }
      EXPECT_TRUE(answers_.emplace(i, response.status()).second) << "answered twice: " << i;
    });
  }
  void Forget() {
    absl::MutexLock lock(&mutex_);
    answers_.clear();
  }
  void WriteAll() {
    for (int i = 0; i < kDevices; ++i) Write(i, absl::StrCat("d", i));
  }
  // By what was written; fewer than `count` after 20 s.
  std::map<int, absl::Status> Await(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto all = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return answers_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&all), absl::Seconds(20));
    return answers_;
  }

  skerry::testing::TempDir folder_;
  SystemClock clock_;
  const std::string socket_ = absl::StrCat("unix:", folder_.File("twin.sock"));
  std::unique_ptr<FakeTwinService> fake_ = std::make_unique<FakeTwinService>(socket_);
  exec::SerialExecutor executor_{"test", clock_};
  absl::Mutex mutex_;
  std::map<int, absl::Status> answers_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<TwinClient> client_ =
      *TwinClient::Create({.address = socket_}, executor_, log::Logger::Null());
};

TEST_F(TwinWritesTest, WhatComesWhileCallsAreUnderWayGoesTogether) {
  fake_->Hold(true);
  WriteAll();
  ASSERT_TRUE(fake_->AwaitHeld());
  fake_->Hold(false);
  EXPECT_THAT(Await(kDevices), AllOf(SizeIs(kDevices), Each(Pair(_, IsOk()))));
  EXPECT_EQ(fake_->writes(), kDevices);
  EXPECT_THAT(fake_->calls(), UnorderedElementsAre(1, 1, kDevices - 2));
}

TEST_F(TwinWritesTest, EachGetsItsOwnAnswer) {
  fake_->Hold(true);
  WriteAll();
  Write(100, "unknown");
  Write(101, "d0");
  ASSERT_TRUE(fake_->AwaitHeld());
  fake_->Hold(false);
  auto answers = Await(kDevices + 2);
  ASSERT_THAT(answers, SizeIs(kDevices + 2));
  EXPECT_THAT(answers.at(100), HasReason("DEVICE_UNKNOWN"));
  answers.erase(100);
  EXPECT_THAT(answers, Each(Pair(_, IsOk())));
}

TEST_F(TwinWritesTest, WhatHadNoRoomInAnAnswerIsSentAgain) {
  fake_->LimitAnswers(5);
  fake_->Hold(true);
  WriteAll();
  ASSERT_TRUE(fake_->AwaitHeld());
  fake_->Hold(false);
  EXPECT_THAT(Await(kDevices), AllOf(SizeIs(kDevices), Each(Pair(_, IsOk()))));
  EXPECT_EQ(fake_->writes(), kDevices) << "each once";
}

TEST_F(TwinWritesTest, ATwinServiceOfBeforeGetsThemOneByOne) {
  fake_->RefuseMany(absl::UnimplementedError(""));
  fake_->Hold(true);
  WriteAll();
  ASSERT_TRUE(fake_->AwaitHeld());
  fake_->Hold(false);
  EXPECT_THAT(Await(kDevices), AllOf(SizeIs(kDevices), Each(Pair(_, IsOk()))));
  EXPECT_THAT(fake_->calls(), AllOf(SizeIs(kDevices), Each(1)));
}

TEST_F(TwinWritesTest, OneThatSpoilsACallSpoilsNoOther) {
  for (const absl::Status& error :
       {absl::InternalError("x"), absl::ResourceExhaustedError("larger than max")}) {
    fake_->RefuseMany(error);
    fake_->Hold(true);
    WriteAll();
    ASSERT_TRUE(fake_->AwaitHeld());
    fake_->Hold(false);
    EXPECT_THAT(Await(kDevices), AllOf(SizeIs(kDevices), Each(Pair(_, IsOk()))));
    Forget();
  }
}

TEST_F(TwinWritesTest, ACallThatFailsFailsAllOfIt) {
  fake_.reset();
  WriteAll();
  EXPECT_THAT(Await(kDevices),
              AllOf(SizeIs(kDevices), Each(Pair(_, StatusIs(absl::StatusCode::kUnavailable)))));
}

TEST_F(TwinWritesTest, TheEndAnswersThoseThatWait) {
  fake_->Hold(true);
  WriteAll();
  ASSERT_TRUE(fake_->AwaitHeld());
  client_->Close();
  EXPECT_THAT(Await(kDevices),
              AllOf(SizeIs(kDevices), Each(Pair(_, StatusIs(absl::StatusCode::kUnavailable)))))
      << "nothing has failed for good";
}

}  // namespace
}  // namespace skerry::eventbus
