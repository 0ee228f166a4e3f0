#include "services/edge-controller-svc/core/interest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace skerry::edgecontroller {

void PrintTo(const Interest::Change& change, std::ostream* out) {
  *out << change.node << ": " << change.ref.type << " " << change.ref.key;
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Change = Interest::Change;

const ObjectRef kConfig{kConfigMaps, "ns/cm"};
const ObjectRef kSecret{kSecrets, "ns/s"};
const ObjectRef kAccount{kServiceAccounts, "ns/sa"};
const ObjectRef kRegistry{kSecrets, "ns/reg"};

TEST(InterestTest, NodeNeedsItsPodAndWhatItRefersTo) {
  Interest interest;
  EXPECT_THAT(interest.UpsertPod("ns/p", "n1", {kConfig, kSecret}),
              UnorderedElementsAre(Change{"n1", {kPods, "ns/p"}}, Change{"n1", kConfig},
                                   Change{"n1", kSecret}));
  EXPECT_TRUE(interest.Needs("n1", {kPods, "ns/p"}));
  EXPECT_TRUE(interest.Needs("n1", kConfig));
  EXPECT_THAT(interest.KeysNeeded("n1", kSecrets), ElementsAre("ns/s"));
}

TEST(InterestTest, NodeNeedsNothingOfOthers) {
  Interest interest;
  interest.UpsertPod("ns/p", "n1", {kConfig, kSecret});
  EXPECT_FALSE(interest.Needs("n2", {kPods, "ns/p"}));
  EXPECT_FALSE(interest.Needs("n2", kConfig));
  EXPECT_FALSE(interest.Needs("n1", {kSecrets, "ns/other"}));
  EXPECT_FALSE(interest.Needs("n1", {kConfigMaps, "ns/s"}))
      << "a Secret's name is no claim to a ConfigMap";
  EXPECT_THAT(interest.KeysNeeded("n2", kPods), IsEmpty());
}

TEST(InterestTest, NodeNeedsItsOwnNodeObjectOnly) {
  const Interest interest;
  EXPECT_TRUE(interest.Needs("n1", {kNodes, "n1"}));
  EXPECT_FALSE(interest.Needs("n1", {kNodes, "n2"}));
  EXPECT_THAT(interest.KeysNeeded("n1", kNodes), ElementsAre("n1"));
  EXPECT_THAT(interest.NodesThatNeed({kNodes, "n2"}), ElementsAre("n2"));
}

TEST(InterestTest, SharedReferenceStaysUntilTheLastPodIsGone) {
  Interest interest;
  interest.UpsertPod("ns/a", "n1", {kConfig});
  interest.UpsertPod("ns/b", "n1", {kConfig});
  EXPECT_THAT(interest.RemovePod("ns/a"), ElementsAre(Change{"n1", {kPods, "ns/a"}}));
  EXPECT_TRUE(interest.Needs("n1", kConfig));
  EXPECT_THAT(interest.RemovePod("ns/b"),
              UnorderedElementsAre(Change{"n1", {kPods, "ns/b"}}, Change{"n1", kConfig}));
  EXPECT_FALSE(interest.Needs("n1", kConfig));
}

TEST(InterestTest, ChangedReferencesAreTheOnlyChanges) {
  Interest interest;
  interest.UpsertPod("ns/p", "n1", {kConfig, kSecret});
  EXPECT_THAT(interest.UpsertPod("ns/p", "n1", {kConfig, kSecret}), IsEmpty());
  EXPECT_THAT(interest.UpsertPod("ns/p", "n1", {kConfig, kRegistry}),
              UnorderedElementsAre(Change{"n1", kSecret}, Change{"n1", kRegistry}));
}

TEST(InterestTest, MovedPodLeavesItsFormerNode) {
  Interest interest;
  interest.UpsertPod("ns/p", "n1", {kConfig});
  EXPECT_THAT(interest.UpsertPod("ns/p", "n2", {kConfig}),
              UnorderedElementsAre(Change{"n1", {kPods, "ns/p"}}, Change{"n1", kConfig},
                                   Change{"n2", {kPods, "ns/p"}}, Change{"n2", kConfig}));
  EXPECT_FALSE(interest.Needs("n1", kConfig));
}

TEST(InterestTest, ServiceAccountBringsItsPullSecrets) {
  Interest interest;
  interest.SetServiceAccount("ns/sa", {kRegistry});
  EXPECT_THAT(interest.UpsertPod("ns/p", "n1", {kAccount}),
              UnorderedElementsAre(Change{"n1", {kPods, "ns/p"}}, Change{"n1", kAccount},
                                   Change{"n1", kRegistry}));
  interest.RemovePod("ns/p");
  EXPECT_FALSE(interest.Needs("n1", kRegistry));
}

TEST(InterestTest, ServiceAccountMayComeAfterThePod) {
  Interest interest;
  interest.UpsertPod("ns/p", "n1", {kAccount});
  EXPECT_THAT(interest.SetServiceAccount("ns/sa", {kRegistry}),
              ElementsAre(Change{"n1", kRegistry}));
  EXPECT_THAT(interest.SetServiceAccount("ns/sa", {kSecret}),
              UnorderedElementsAre(Change{"n1", kRegistry}, Change{"n1", kSecret}));
  EXPECT_THAT(interest.SetServiceAccount("ns/sa", {}), ElementsAre(Change{"n1", kSecret}));
}

TEST(InterestTest, SecretOfPodAndAccountStaysWhileEitherNeedsIt) {
  Interest interest;
  interest.SetServiceAccount("ns/sa", {kSecret});
  interest.UpsertPod("ns/p", "n1", {kAccount, kSecret});
  EXPECT_THAT(interest.SetServiceAccount("ns/sa", {}), IsEmpty());
  EXPECT_TRUE(interest.Needs("n1", kSecret));
}

TEST(InterestTest, FindsNodesOfAnObject) {
  Interest interest;
  interest.UpsertPod("ns/a", "n1", {kConfig});
  interest.UpsertPod("ns/b", "n2", {kConfig});
  interest.UpsertPod("ns/c", "n3", {kSecret});
  EXPECT_THAT(interest.NodesThatNeed(kConfig), UnorderedElementsAre("n1", "n2"));
}

TEST(InterestTest, RemovingAnUnknownPodChangesNothing) {
  Interest interest;
  EXPECT_THAT(interest.RemovePod("ns/none"), IsEmpty());
}

// Against the definition, computed anew from all pods and accounts after every step.
TEST(InterestTest, RandomHistoriesAgreeWithTheDefinition) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&random](int n) { return static_cast<int>(random() % n); };
    Interest interest;
    std::map<std::string, std::pair<std::string, std::set<ObjectRef>>> pods;
    std::map<std::string, std::set<ObjectRef>> accounts;
    for (int step = 0; step < 200; ++step) {
      const std::string pod = absl::StrCat("ns/p", pick(6));
      const std::string account = absl::StrCat("ns/sa", pick(3));
      std::set<ObjectRef> refs;
      switch (pick(4)) {
        case 0:
          interest.RemovePod(pod);
          pods.erase(pod);
          break;
        case 1:
          for (int i = pick(3); i > 0; --i) refs.insert({kSecrets, absl::StrCat("ns/s", pick(4))});
          interest.SetServiceAccount(account, refs);
          accounts[account] = refs;
          break;
        default:
          for (int i = pick(4); i > 0; --i) refs.insert({kSecrets, absl::StrCat("ns/s", pick(4))});
          if (pick(2) == 0) refs.insert({kServiceAccounts, account});
          const std::string node = absl::StrCat("n", pick(3));
          interest.UpsertPod(pod, node, refs);
          pods[pod] = {node, refs};
      }
      for (int n = 0; n < 3; ++n) {
        const std::string node = absl::StrCat("n", n);
        std::set<std::string> secrets;
        for (const auto& [key, value] : pods) {
          if (value.first != node) continue;
          for (const ObjectRef& ref : value.second) {
            if (ref.type == kSecrets) secrets.insert(ref.key);
            if (ref.type != kServiceAccounts) continue;
            for (const ObjectRef& of_account : accounts[ref.key]) secrets.insert(of_account.key);
          }
        }
        const std::vector<std::string> expected(secrets.begin(), secrets.end());
        ASSERT_EQ(interest.KeysNeeded(node, kSecrets), expected)
            << "seed " << seed << " step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace skerry::edgecontroller
