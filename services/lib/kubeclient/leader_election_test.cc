#include "services/lib/kubeclient/leader_election.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/synchronization/notification.h"
#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::kubeclient {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(20);
constexpr char kKey[] = "kube-system/lock";

class ManualClock final : public Clock {
 public:
  absl::Time Now() override { return absl::FromUnixSeconds(1'700'000'000) + now_; }
  absl::Duration Monotonic() override { return now_; }
  void Advance(absl::Duration by) { now_ += by; }

 private:
  absl::Duration now_ = absl::Seconds(1000);
};

class LeaderElectionTest : public ::testing::Test {
 protected:
  std::unique_ptr<LeaderElector> Make(const std::string& identity,
                                      LeaderElector::Callbacks callbacks = {}) {
    return std::make_unique<LeaderElector>(
        api_, clock_,
        LeaderElector::Options{
            .lease_namespace = "kube-system", .lease_name = "lock", .identity = identity},
        std::move(callbacks), registry_, log::Logger::Null());
  }
  nlohmann::json Spec() { return api_.Peek(Leases(), kKey)->Json()["spec"]; }

  metrics::Registry registry_{"test-svc"};
  FakeClient api_;
  ManualClock clock_;
};

TEST_F(LeaderElectionTest, FirstOneCreatesTheLease) {
  auto a = Make("a");
  EXPECT_TRUE(a->TryAcquireOrRenew());
  EXPECT_EQ(Spec()["holderIdentity"], "a");
  EXPECT_EQ(Spec()["leaseDurationSeconds"], 15);
  EXPECT_EQ(Spec()["leaseTransitions"], 0);
  EXPECT_EQ(Spec()["renewTime"], "2023-11-14T22:30:00.000000Z");
}

TEST_F(LeaderElectionTest, SecondOneWaits) {
  auto a = Make("a");
  auto b = Make("b");
  EXPECT_TRUE(a->TryAcquireOrRenew());
  EXPECT_FALSE(b->TryAcquireOrRenew());
  clock_.Advance(absl::Seconds(14));
  EXPECT_FALSE(b->TryAcquireOrRenew());
  EXPECT_TRUE(a->TryAcquireOrRenew());
  clock_.Advance(absl::Seconds(14));
  EXPECT_FALSE(b->TryAcquireOrRenew()) << "b saw the renewal";
}

TEST_F(LeaderElectionTest, LeaseThatDoesNotChangeForItsDurationIsTaken) {
  auto a = Make("a");
  auto b = Make("b");
  a->TryAcquireOrRenew();
  EXPECT_FALSE(b->TryAcquireOrRenew());
  clock_.Advance(absl::Seconds(15));
  EXPECT_TRUE(b->TryAcquireOrRenew());
  EXPECT_EQ(Spec()["holderIdentity"], "b");
  EXPECT_EQ(Spec()["leaseTransitions"], 1);
  EXPECT_FALSE(a->TryAcquireOrRenew());
}

// Age counts from when it was first seen here: the other machine's clock means nothing.
TEST_F(LeaderElectionTest, OldRenewTimeAloneIsNoReasonToTakeIt) {
  api_.Put(Leases(),
           R"({"metadata":{"namespace":"kube-system","name":"lock"},"spec":{"holderIdentity":"z",
                         "leaseDurationSeconds":15,"renewTime":"2001-01-01T00:00:00.000000Z"}})");
  auto a = Make("a");
  EXPECT_FALSE(a->TryAcquireOrRenew());
  clock_.Advance(absl::Seconds(15));
  EXPECT_TRUE(a->TryAcquireOrRenew());
}

TEST_F(LeaderElectionTest, ReleasedLeaseIsTakenAtOnce) {
  auto a = Make("a");
  auto b = Make("b");
  a->TryAcquireOrRenew();
  EXPECT_FALSE(b->TryAcquireOrRenew());
  a->Release();
  EXPECT_EQ(Spec()["holderIdentity"], "");
  EXPECT_TRUE(b->TryAcquireOrRenew());
}

TEST_F(LeaderElectionTest, LostRaceIsNotLeading) {
  auto a = Make("a");
  a->TryAcquireOrRenew();
  clock_.Advance(absl::Seconds(1));
  bool raced = false;
  api_.SetHook([&](absl::string_view verb, const Resource&, absl::string_view) {
    if (verb == "UPDATE" && !std::exchange(raced, true)) {
      api_.Put(
          Leases(),
          R"({"metadata":{"namespace":"kube-system","name":"lock"},"spec":{"holderIdentity":"b",
                             "leaseDurationSeconds":15}})");
    }
    return absl::OkStatus();
  });
  EXPECT_FALSE(a->TryAcquireOrRenew());
  EXPECT_EQ(Spec()["holderIdentity"], "b");
}

TEST_F(LeaderElectionTest, OwnLeaseOfAFormerCallIsRenewedWithoutTransition) {
  auto a = Make("a");
  a->TryAcquireOrRenew();
  clock_.Advance(absl::Seconds(60));
  EXPECT_TRUE(a->TryAcquireOrRenew());
  EXPECT_EQ(Spec()["leaseTransitions"], 0);
  EXPECT_EQ(Spec()["renewTime"], "2023-11-14T22:31:00.000000Z");
}

TEST(LeaderElectionThreadTest, LeadsThenStopsThenReleases) {
  metrics::Registry registry("test-svc");
  FakeClient api;
  SystemClock clock;
  absl::Notification started;
  absl::Notification stopped;
  LeaderElector elector(
      api, clock, {.lease_namespace = "kube-system", .lease_name = "lock", .identity = "a"},
      {.on_started = [&] { started.Notify(); }, .on_stopped = [&] { stopped.Notify(); }}, registry,
      log::Logger::Null());
  elector.Start();
  ASSERT_TRUE(started.WaitForNotificationWithTimeout(kLimit));
  elector.Stop();
  EXPECT_TRUE(stopped.HasBeenNotified());
  EXPECT_EQ(api.Peek(Leases(), kKey)->Json()["spec"]["holderIdentity"], "");
}

TEST(LeaderElectionThreadTest, LeaderThatCannotRenewStops) {
  metrics::Registry registry("test-svc");
  FakeClient api;
  SystemClock clock;
  absl::Notification started;
  absl::Notification stopped;
  LeaderElector elector(
      api, clock,
      {.lease_namespace = "kube-system",
       .lease_name = "lock",
       .identity = "a",
       .lease_duration = absl::Seconds(1),
       .renew_deadline = absl::Milliseconds(200),
       .retry_period = absl::Milliseconds(20)},
      {.on_started = [&] { started.Notify(); }, .on_stopped = [&] { stopped.Notify(); }}, registry,
      log::Logger::Null());
  elector.Start();
  ASSERT_TRUE(started.WaitForNotificationWithTimeout(kLimit));
  api.SetHook([](absl::string_view, const Resource&, absl::string_view) {
    return absl::UnavailableError("down");
  });
  EXPECT_TRUE(stopped.WaitForNotificationWithTimeout(kLimit));
  elector.Stop();
}

// Every call takes its time: the first write succeeds late, later reads hang to their timeout.
class SlowClient final : public FakeClient {
 public:
  explicit SlowClient(ManualClock& clock) : clock_(clock) {}
  absl::StatusOr<KubeObject> Get(const Resource& resource, absl::string_view object_namespace,
                                 absl::string_view name, const CallOptions& options) override {
    if (written_) {
      clock_.Advance(options.timeout);
      return absl::DeadlineExceededError("hangs");
    }
    return FakeClient::Get(resource, object_namespace, name, options);
  }
  absl::StatusOr<KubeObject> Create(const Resource& resource, absl::string_view object_namespace,
                                    absl::string_view body, const CallOptions& options) override {
    auto created = FakeClient::Create(resource, object_namespace, body, options);
    clock_.Advance(absl::Seconds(2));
    written_ = true;
    return created;
  }

 private:
  ManualClock& clock_;
  bool written_ = false;
};

// Another replica may take the lease lease_duration after the write, whenever its answer came.
TEST(LeaderElectionThreadTest, LeadsNoLongerThanTheRenewDeadlineFromTheBeginOfTheRenewal) {
  metrics::Registry registry("test-svc");
  ManualClock clock;
  SlowClient api(clock);
  const absl::Duration begin = clock.Monotonic();
  absl::Duration led;
  absl::Notification stopped;
  LeaderElector elector(api, clock,
                        {.lease_namespace = "kube-system",
                         .lease_name = "lock",
                         .identity = "a",
                         .lease_duration = absl::Seconds(15),
                         .renew_deadline = absl::Seconds(10),
                         .retry_period = absl::Milliseconds(1)},
                        {.on_started = [&] { clock.Advance(absl::Seconds(4)); },
                         .on_stopped =
                             [&] {
                               led = clock.Monotonic() - begin;
                               stopped.Notify();
                             }},
                        registry, log::Logger::Null());
  elector.Start();
  ASSERT_TRUE(stopped.WaitForNotificationWithTimeout(kLimit));
  elector.Stop();
  EXPECT_EQ(led, absl::Seconds(10));
}

}  // namespace
}  // namespace skerry::kubeclient
