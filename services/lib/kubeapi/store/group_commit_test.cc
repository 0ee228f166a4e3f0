#include "services/lib/kubeapi/store/group_commit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

WriteOp Op(absl::string_view json = "j") {
  return {.key = {.resource = "pods", .name = "p"}, .json = std::string(json)};
}

// Commits by numbering; the first group waits until released.
class Committer {
 public:
  void Commit(absl::Span<PendingWrite* const> group) {
    groups_.push_back(group.size());
    if (groups_.size() == 1) {
      entered_.Notify();
      release_.WaitForNotification();
    }
    for (PendingWrite* write : group) write->result = ++revision_;
  }

  std::vector<size_t> groups_;  // Writer thread, and the test after it has ended.
  absl::Notification entered_;
  absl::Notification release_;

 private:
  StoreRevision revision_ = 0;
};

// The groups in which `writes` are committed that all arrive while another commit is under way.
std::vector<size_t> GroupsOf(const GroupCommit::Options& options,
                             const std::vector<std::string>& writes) {
  Committer committer;
  std::vector<std::thread> threads;
  {
    GroupCommit commits(
        options, [&](absl::Span<PendingWrite* const> group) { committer.Commit(group); }, [] {});
    threads.emplace_back([&] { EXPECT_TRUE(commits.Submit(Op()).ok()); });
    committer.entered_.WaitForNotification();
    for (size_t i = 0; i < writes.size(); ++i) {
      threads.emplace_back([&, i] { EXPECT_TRUE(commits.Submit(Op(writes[i])).ok()); });
      while (commits.waiting() != i + 1) std::this_thread::yield();
    }
    committer.release_.Notify();
    for (std::thread& thread : threads) thread.join();
  }
  return committer.groups_;
}

TEST(GroupCommitTest, CommitsTogetherWhatWaitsTogether) {
  EXPECT_EQ(GroupsOf({}, {"a", "b", "c"}), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(GroupsOf({.group_max = 2}, {"a", "b", "c"}), (std::vector<size_t>{1, 2, 1}));
}

TEST(GroupCommitTest, BoundsTheBytesOfAGroupButTakesAnySingleWrite) {
  const std::string big(100, 'x');
  EXPECT_EQ(GroupsOf({.group_bytes_max = 10}, {big, "a", "b", big, "c"}),
            (std::vector<size_t>{1, 1, 2, 1, 1}));
}

TEST(GroupCommitTest, RefusesWritesBeyondTheBound) {
  Committer committer;
  GroupCommit commits(
      {.waiting_max = 1}, [&](absl::Span<PendingWrite* const> group) { committer.Commit(group); },
      [] {});
  std::thread first([&] { EXPECT_TRUE(commits.Submit(Op()).ok()); });
  committer.entered_.WaitForNotification();
  std::thread second([&] { EXPECT_TRUE(commits.Submit(Op()).ok()); });
  while (commits.waiting() != 1) std::this_thread::yield();
  EXPECT_EQ(GetErrorInfo(commits.Submit(Op()).status()).reason, "WRITES_WAITING");
  committer.release_.Notify();
  first.join();
  second.join();
}

TEST(GroupCommitTest, GivesEachWriteItsResult) {
  std::atomic<StoreRevision> revision = 0;
  GroupCommit commits(
      {},
      [&](absl::Span<PendingWrite* const> group) {
        for (PendingWrite* write : group) {
          if (write->op.json == "bad") {
            write->result = absl::AbortedError("bad");
          } else {
            write->result = ++revision;
          }
        }
      },
      [] {});
  EXPECT_EQ(*commits.Submit(Op()), 1);
  EXPECT_TRUE(absl::IsAborted(commits.Submit(Op("bad")).status()));
  EXPECT_EQ(*commits.Submit(Op()), 2);
}

TEST(GroupCommitTest, CommitsWhatWaitsWhenItEnds) {
  Committer committer;
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  {
    GroupCommit commits(
        {}, [&](absl::Span<PendingWrite* const> group) { committer.Commit(group); }, [] {});
    threads.emplace_back([&] {
      if (commits.Submit(Op()).ok()) ++done;
    });
    committer.entered_.WaitForNotification();
    committer.release_.Notify();
    threads[0].join();
  }
  EXPECT_EQ(done, 1);
}

TEST(GroupCommitTest, CallsIdleWithoutWrites) {
  absl::Notification idle;
  GroupCommit commits(
      {.idle_interval = absl::Milliseconds(5)}, [](absl::Span<PendingWrite* const>) {},
      [&] {
        if (!idle.HasBeenNotified()) idle.Notify();
      });
  EXPECT_TRUE(idle.WaitForNotificationWithTimeout(absl::Seconds(20)));
}

}  // namespace
}  // namespace skerry::kubeapi
