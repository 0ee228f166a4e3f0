// The hub's commands: from the cloud to a spoke, and how they ended to the cloud.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/edgehub-svc/store/sqlite_command_store.h"
#include "services/edgehub-svc/store/sqlite_event_store.h"
#include "services/edgehub-svc/store/sqlite_journal.h"
#include "services/edgehub-svc/testing/fakes.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using testing::FakeDialer;
using testing::FakeSpoke;

class EdgeHubCommandsTest : public ::testing::Test {
 protected:
  EdgeHubCommandsTest() : registry_("edgehub-svc"), metrics_(registry_) {
    journal_ = *SqliteJournal::Open(folder_.File("edgehub.db"), {}, "journal-1", clock_);
    events_ = *SqliteEventStore::Open(folder_.File("events.db"), {}, "events-1", clock_);
    Restart();
  }

  // Only the stores are left.
  void Restart() {
    hub_ = nullptr;
    commands_ = nullptr;
    commands_ = *SqliteCommandStore::Open(folder_.File("commands.db"), {}, clock_);
    EdgeHub::Config config;
    config.session.hello.protocol_version = 1;
    hub_ = std::make_unique<EdgeHub>(config, *journal_, *events_, *commands_, dialer_, clock_,
                                     metrics_, log::Logger::Null());
    hub_->Start();
    Settle();
  }

  // Everything that was posted, and what that posted, has run.
  void Settle() {
    for (int i = 0; i < 6; ++i) hub_->TakeSnapshot();
  }

  void Connect(uint64_t epoch) {
    dialer_.last()->events.on_frame(link::Welcome{epoch, absl::Seconds(10), "hub-1", clock_.Now()},
                                    10);
    Settle();
  }

  link::SpokeId AttachTaker(const std::shared_ptr<FakeSpoke>& spoke) {
    return hub_->Attach("mapper", {}, {}, spoke, {}, {}, {"method"});
  }
  void SendCommand(const std::string& key, bool reexecutable = false) {
    dialer_.last()->events.on_frame(
        link::Command{key, "method", "open", absl::Seconds(5), absl::Seconds(60), reexecutable},
        10);
    Settle();
  }
  void CommandDone(link::SpokeId spoke, const std::string& key, const std::string& response) {
    hub_->CommandDone(spoke, {0, key, absl::OkStatus(), response}, [] {});
    Settle();
  }
  // "a delivered", "a done OK opened", "takers method".
  std::vector<std::string> SentReceipts() {
    static constexpr const char* kStages[] = {"delivered", "started", "returned", "done"};
    std::vector<std::string> found;
    for (const link::EdgeFrame& frame : dialer_.last()->TakeSent()) {
      if (const auto* takers = std::get_if<link::CommandTakers>(&frame))
        found.push_back(absl::StrCat("takers ", absl::StrJoin(takers->types, ",")));
      const auto* receipt = std::get_if<link::CommandReceipt>(&frame);
      if (receipt == nullptr) continue;
      found.push_back(absl::StrCat(receipt->key, " ", kStages[static_cast<int>(receipt->stage)]));
      if (!receipt->status.ok())
        absl::StrAppend(&found.back(), " ", GetErrorInfo(receipt->status).reason);
      if (!receipt->response.empty()) absl::StrAppend(&found.back(), " ", receipt->response);
    }
    return found;
  }

  static std::vector<link::edge::CommandRequest> Requests(FakeSpoke& spoke) {
    std::vector<link::edge::CommandRequest> found;
    for (const SpokeMessage& message : spoke.Take()) {
      if (const auto* request = std::get_if<link::edge::CommandRequest>(&message))
        found.push_back(*request);
    }
    return found;
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_;
  EdgeHubMetrics metrics_;
  FakeDialer dialer_;
  std::unique_ptr<SqliteJournal> journal_;
  std::unique_ptr<SqliteEventStore> events_;
  std::unique_ptr<SqliteCommandStore> commands_;
  std::unique_ptr<EdgeHub> hub_;
};

// link-10.6, link-10.7
TEST_F(EdgeHubCommandsTest, ACommandGoesToItsTakerAndItsOutcomeBack) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachTaker(spoke);
  Connect(1);
  EXPECT_EQ(SentReceipts(), std::vector<std::string>{"takers method"});
  SendCommand("a");
  EXPECT_EQ(SentReceipts(), (std::vector<std::string>{"a delivered", "a started"}));
  const auto requests = Requests(*spoke);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].payload, "open");
  EXPECT_EQ(requests[0].deadline, absl::Seconds(5));
  CommandDone(id, "a", "opened");
  EXPECT_EQ(SentReceipts(), std::vector<std::string>{"a done opened"});
}

// link-10.1
TEST_F(EdgeHubCommandsTest, ARepeatedCommandGetsTheStoredOutcomeOverARestart) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachTaker(spoke);
  Connect(1);
  SendCommand("a");
  CommandDone(id, "a", "opened");
  Restart();
  auto again = std::make_shared<FakeSpoke>();
  AttachTaker(again);
  Connect(2);
  SentReceipts();
  SendCommand("a");
  EXPECT_EQ(SentReceipts(), (std::vector<std::string>{"a delivered", "a done opened"}));
  EXPECT_TRUE(Requests(*again).empty());
}

// link-10.8
TEST_F(EdgeHubCommandsTest, ACommandThatWasUnderWayAtACrashIsNotExecutedAgain) {
  auto spoke = std::make_shared<FakeSpoke>();
  AttachTaker(spoke);
  Connect(1);
  SendCommand("once");
  SendCommand("again", true);
  Restart();
  auto other = std::make_shared<FakeSpoke>();
  AttachTaker(other);
  Connect(2);
  SentReceipts();
  SendCommand("once");
  EXPECT_EQ(SentReceipts(),
            (std::vector<std::string>{"once delivered", "once done COMMAND_OUTCOME_UNKNOWN"}));
  SendCommand("again", true);
  EXPECT_EQ(SentReceipts(), (std::vector<std::string>{"again delivered", "again started"}));
  EXPECT_EQ(Requests(*other).size(), 1u);
}

// link-10.8
TEST_F(EdgeHubCommandsTest, ACommandWhoseTakerDoesNotAnswerEndsAtItsDeadline) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachTaker(spoke);
  Connect(1);
  SendCommand("a");
  SentReceipts();
  clock_.Advance(absl::Seconds(5));
  Settle();
  EXPECT_EQ(SentReceipts(), std::vector<std::string>{"a done COMMAND_DEADLINE_EXCEEDED"});
  CommandDone(id, "a", "late");
  EXPECT_TRUE(SentReceipts().empty());
}

TEST_F(EdgeHubCommandsTest, ACommandEndsWhileTheLinkIsDown) {
  auto spoke = std::make_shared<FakeSpoke>();
  const link::SpokeId id = AttachTaker(spoke);
  Connect(1);
  SendCommand("a");
  dialer_.last()->events.on_closed(absl::UnavailableError("gone"));
  Settle();
  CommandDone(id, "a", "opened");
  clock_.Advance(absl::Seconds(2));
  Settle();
  Connect(2);
  SentReceipts();
  SendCommand("a");
  EXPECT_EQ(SentReceipts(), (std::vector<std::string>{"a delivered", "a done opened"}));
}

}  // namespace
}  // namespace skerry::edgehub
