#include "services/eventbus-svc/runner/rule_topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/testing/journal_fixture.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::eventbus {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// [eb-6]
class RuleTopicsTest : public JournalFixture {
 protected:
  void Start() {
    topics_ = std::make_unique<RuleTopics>(
        *store_->ReadRuleFilters(), std::vector<std::string>{"+/user/#"}, *journal_, executor_,
        [this](std::set<std::string> wanted, std::set<std::string> unwanted) {
          wanted_ = std::move(wanted);
          unwanted_ = std::move(unwanted);
          // Whoever is asked for them has to be in the store: a crash must not forget it.
          for (const std::string& filter : wanted_) {
            EXPECT_EQ(store_->ReadRuleFilters()->count(filter), 1u) << filter;
          }
        },
        metrics_, log::Logger::Null());
  }
  void Put(const std::string& key, const std::string& topic) {
    Tell(key, absl::StrCat(R"({"spec":{"sourceResource":{"topic":")", topic, R"("}}})"));
  }
  void Tell(const std::string& key, const std::string& json) {
    executor_.Run([&] { topics_->OnObject(kRuleType, key, json); });
    Settle();
  }
  void Delete(const std::string& key) {
    executor_.Run([&] { topics_->OnObjectDeleted(kRuleType, key); });
    Settle();
  }
  void Synced() {
    executor_.Run([&] { topics_->OnSynced(); });
    Settle();
  }
  void Unsubscribed(const std::set<std::string>& filters) {
    executor_.Run([&] { topics_->OnUnsubscribed(filters); });
    Settle();
  }

  std::unique_ptr<RuleTopics> topics_;
  std::set<std::string> wanted_, unwanted_;
};

TEST_F(RuleTopicsTest, FollowsTheRulesOfTheBox) {
  Start();
  Put("ns/a", "alarms/+");
  EXPECT_THAT(wanted_, IsEmpty()) << "not all rules are known yet";
  Put("ns/b", "user/x");
  Put("other/c", "alarms/+");
  Synced();
  EXPECT_THAT(wanted_, ElementsAre("ns/alarms/+", "other/alarms/+"));
  EXPECT_EQ(metrics_.rule_topics.Value(), 2);
  Put("ns/d", "alarms/+");
  Delete("ns/a");
  EXPECT_THAT(wanted_, ElementsAre("ns/alarms/+", "other/alarms/+")) << "another rule has it";
  Put("ns/d", "alarms/fire");
  EXPECT_THAT(wanted_, ElementsAre("ns/alarms/fire", "other/alarms/+"));
  EXPECT_THAT(unwanted_, ElementsAre("ns/alarms/+"));
  Unsubscribed({"ns/alarms/+"});
  EXPECT_THAT(*store_->ReadRuleFilters(), ElementsAre("ns/alarms/fire", "other/alarms/+"));
  for (const char* none : {"", "x", "[]", R"({"spec":7})",
                           R"({"spec":{"sourceResource":{"target_url":"http://shop/"}}})",
                           R"({"spec":{"sourceResource":{"topic":7}}})",
                           R"({"spec":{"sourceResource":{"topic":"a#"}}})"}) {
    Tell("ns/d", none);
    EXPECT_THAT(wanted_, ElementsAre("other/alarms/+")) << none;
  }
}

TEST_F(RuleTopicsTest, ARuleThatGoesWhileItIsAwayIsUnsubscribedFrom) {
  Start();
  Put("ns/a", "a");
  Put("ns/b", "b");
  Synced();
  Start();
  EXPECT_EQ(metrics_.rule_topics.Value(), 2) << "they count until edge-meta-svc has answered";
  Put("ns/b", "b");
  Synced();
  EXPECT_THAT(wanted_, ElementsAre("ns/b"));
  EXPECT_THAT(unwanted_, ElementsAre("ns/a"));
  // It comes back before the broker has answered.
  Put("ns/a", "a");
  Unsubscribed({"ns/a"});
  EXPECT_THAT(*store_->ReadRuleFilters(), ElementsAre("ns/a", "ns/b"));
}

TEST_F(RuleTopicsTest, WithAFullDiskItIsTriedAgain) {
  Start();
  Synced();
  disk_.SetCapacity(disk_.UsedBytes() + 1024);
  Put("ns/a", std::string(300, 'a'));
  if (!wanted_.empty()) GTEST_SKIP() << "there was room";
  disk_.SetCapacity(1 << 30);
  clock_.Advance(absl::Seconds(5));
  Settle();
  EXPECT_THAT(wanted_, ElementsAre("ns/" + std::string(300, 'a')));
}

}  // namespace
}  // namespace skerry::eventbus
