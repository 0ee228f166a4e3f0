// How it ends while streams come and go.
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/hubclient/hub_dialer.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"

namespace skerry::hubclient {
namespace {

// A hub that is never there: each stream to it ends at once, on a thread of the transport.
class NoHub {
 public:
  HubDialer dialer() {
    return [this](const rpc::StreamOptions&, rpc::StreamEvents<edgehub::v1::HubFrame> events) {
      {
        absl::MutexLock lock(&mutex_);
        ++dialled_;
        ++open_;
      }
      transport_.Post([this, events = std::move(events)] {
        {
          absl::MutexLock lock(&mutex_);
          --open_;
        }
        events.on_closed(absl::UnavailableError("nobody listens"));
      });
      return std::make_shared<Stream>();
    };
  }
  bool AwaitDials(int count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return dialled_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  // Streams that have not begun to tell that they are closed.
  int open() {
    absl::MutexLock lock(&mutex_);
    return open_;
  }

 private:
  class Stream final : public HubStream {
   public:
    void Close(absl::Status) override {}
    bool Send(edgehub::v1::SpokeFrame) override { return true; }
    size_t pending_bytes() const override { return 0; }
    void SendBundles() override {}
  };

  absl::Mutex mutex_;
  int dialled_ ABSL_GUARDED_BY(mutex_) = 0;
  int open_ ABSL_GUARDED_BY(mutex_) = 0;
  SystemClock clock_;
  exec::SerialExecutor transport_{"transport", clock_};
};

// What a stream refers to may go when Stop has returned, though the next one was dialled while the
// last still told that it is closed.
TEST(HubClientStop, WaitsForTheStreamThatFollowedAtOnce) {
  SystemClock clock;
  metrics::Registry registry("test");
  HubClientMetrics metrics(registry);
  exec::SerialExecutor executor("test", clock);
  for (int round = 0; round < 300; ++round) {
    NoHub hub;
    HubClient client({.spoke = "twin-svc",
                      .report_types = {"twins"},
                      .reconnect_min = absl::ZeroDuration(),
                      .reconnect_max = absl::ZeroDuration(),
                      .waiting_bytes_max = 0},
                     hub.dialer(), executor, {}, metrics, log::Logger::Null());
    absl::Notification over;
    // Others use the client meanwhile, and so its lock.
    std::thread others([&] {
      while (!over.HasBeenNotified()) client.PutReport("twins", "d/a", 1, "", [](absl::Status) {});
    });
    client.Start();
    EXPECT_TRUE(hub.AwaitDials(10));
    client.Stop();
    const int open = hub.open();
    over.Notify();
    others.join();
    ASSERT_EQ(open, 0) << "in round " << round;
  }
  executor.Stop();
}

}  // namespace
}  // namespace skerry::hubclient
