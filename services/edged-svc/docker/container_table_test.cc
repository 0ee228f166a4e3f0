// What ContainerTable does where answers come late. The rest is docker_runtime_test's, on a real
// Docker.
#include "services/edged-svc/docker/container_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/edged-svc/testing/unix_peer.h"
#include "services/lib/base/clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

constexpr char kList[] = R"([{"Id": "x", "State": "running", "Labels": {
  "io.kubernetes.pod.uid": "u", "io.kubernetes.docker.type": "container"}}])";

// A Docker in which a container appears after the first list, whose answer is late.
class LateDocker {
 public:
  explicit LateDocker(skerry::testing::TempDir& temp)
      : log_(temp.File("x.log")), peer_(temp.File("docker.sock"), [this](int fd) { Serve(fd); }) {}

  void ReleaseFirst() { release_.Notify(); }
  // Until the list has been asked for so often, or for a while.
  bool AwaitLists(int count, absl::Duration wait) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return lists_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), wait);
  }
  int log_requests() {
    absl::MutexLock lock(&mutex_);
    return logs_;
  }

 private:
  void Serve(int fd) {
    const std::string head = UnixPeer::ReadHead(fd);
    if (absl::StrContains(head, "/logs?")) {
      absl::ReleasableMutexLock lock(&mutex_);
      ++logs_;
      lock.Release();
      UnixPeer::Write(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      return UnixPeer::ReadUntilItEnds(fd);
    }
    std::string body = kList;
    if (absl::StrContains(head, "/containers/json")) {
      bool first = false;
      {
        absl::MutexLock lock(&mutex_);
        first = ++lists_ == 1;
      }
      if (first) {
        release_.WaitForNotification();
        body = "[]";
      }
    } else if (absl::StrContains(head, "/containers/x/json")) {
      body = absl::StrCat(R"({"Id": "x", "State": {"Status": "running"}, "Config": {"Labels": {
        "io.kubernetes.container.logpath": ")",
                          log_, R"("}}})");
    } else {
      body = "{}";
    }
    UnixPeer::Write(
        fd, absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
  }

  const std::string log_;
  absl::Mutex mutex_;
  int lists_ ABSL_GUARDED_BY(mutex_) = 0;
  int logs_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Notification release_;
  UnixPeer peer_;
};

// The relister and the log rotator list at the same time: what the older list does not know must
// not be forgotten, and copied by two.
TEST(ContainerTableTest, ALateListForgetsNoCopy) {
  skerry::testing::TempDir temp;
  SystemClock clock;
  LateDocker docker(temp);
  DockerEngine engine(temp.File("docker.sock"), "test");
  LogCopier logs(engine, [](const LogCopier::Log&, const absl::Status&) {});
  ContainerTable table(engine, logs, clock, "me", absl::Seconds(10));
  std::thread early([&] { EXPECT_TRUE(table.Pods().ok()); });
  ASSERT_TRUE(docker.AwaitLists(1, absl::Seconds(20)));
  std::thread later([&] { EXPECT_TRUE(table.Pods().ok()); });
  // It does not come while lists are made one at a time.
  if (docker.AwaitLists(2, absl::Milliseconds(300))) later.join();
  docker.ReleaseFirst();
  early.join();
  if (later.joinable()) later.join();
  EXPECT_EQ(table.Pods()->size(), 1u);
  EXPECT_TRUE(table.Pods().ok());  // By now a second copy would have asked.
  EXPECT_EQ(docker.log_requests(), 1);
}

}  // namespace
}  // namespace skerry::edged
