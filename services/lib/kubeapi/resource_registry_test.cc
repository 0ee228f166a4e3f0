#include "services/lib/kubeapi/resource_registry.h"

#include <gtest/gtest.h>

#include <memory>

namespace skerry::kubeapi {
namespace {

constexpr char kName[] = "buoys.sea.io";

std::vector<ResourcePtr> Buoys(const std::string& version) {
  auto resource = std::make_shared<Resource>();
  resource->group = "sea.io";
  resource->version = version;
  resource->plural = "buoys";
  return {resource};
}

class ResourceRegistryTest : public ::testing::Test {
 protected:
  // The version that is served; empty: none.
  std::string Served() const {
    const ResourcePtr found = registry_.FindStorage(kName);
    EXPECT_EQ(registry_.All().size(), found == nullptr ? 0u : 1u);
    if (found == nullptr) return "";
    EXPECT_EQ(registry_.Find("sea.io", found->version, "buoys"), found);
    return found->version;
  }

  ResourceRegistry registry_{{}, {}};
};

TEST_F(ResourceRegistryTest, NewerNewsWin) {
  const uint64_t before = registry_.generation();
  registry_.SetCustom(kName, 5, Buoys("v2"));
  EXPECT_GT(registry_.generation(), before);
  registry_.SetCustom(kName, 4, Buoys("v1"));
  EXPECT_EQ(Served(), "v2");
  registry_.RemoveCustom(kName, 3);
  EXPECT_EQ(Served(), "v2");
  registry_.SetCustom(kName, 6, Buoys("v3"));
  EXPECT_EQ(Served(), "v3");
  registry_.RemoveCustom(kName, 7);
  EXPECT_EQ(Served(), "");
  registry_.SetCustom(kName, 8, Buoys("v4"));
  EXPECT_EQ(Served(), "v4");
}

TEST_F(ResourceRegistryTest, AListTellsWhatIsGone) {
  registry_.SetCustom(kName, 5, Buoys("v1"));
  registry_.KeepCustom({kName}, 9);
  EXPECT_EQ(Served(), "v1");
  registry_.KeepCustom({}, 4);  // Older than what is known.
  EXPECT_EQ(Served(), "v1");
  registry_.KeepCustom({}, 9);
  EXPECT_EQ(Served(), "");
}

TEST_F(ResourceRegistryTest, WithdrawnKindComesBackWhenItsDefinitionStays) {
  registry_.SetCustom(kName, 5, Buoys("v1"));
  {
    ResourceRegistry::Withdrawal one(&registry_, kName);
    {
      ResourceRegistry::Withdrawal other(&registry_, kName);
      EXPECT_EQ(Served(), "");
    }
    registry_.SetCustom(kName, 6, Buoys("v2"));
    EXPECT_EQ(Served(), "");
  }
  EXPECT_EQ(Served(), "v2");
}

// What was written before the deletion may be told after it.
TEST_F(ResourceRegistryTest, LateNewsDoNotBringADeletedKindBack) {
  registry_.SetCustom(kName, 5, Buoys("v1"));
  {
    ResourceRegistry::Withdrawal withdrawal(&registry_, kName);
    withdrawal.Confirm(7);
  }
  registry_.SetCustom(kName, 6, Buoys("v2"));
  EXPECT_EQ(Served(), "");
  registry_.RemoveCustom(kName, 7);
  registry_.SetCustom(kName, 8, Buoys("v3"));  // Made anew.
  EXPECT_EQ(Served(), "v3");
}

// A writer that comes to tell of its write when the store has long told of the deletion.
TEST_F(ResourceRegistryTest, LateWriterDoesNotBringADeletedKindBack) {
  registry_.SetCustom(kName, 5, Buoys("v1"));
  registry_.RemoveCustom(kName, 7);
  registry_.SetCustom(kName, 6, Buoys("v2"));
  EXPECT_EQ(Served(), "");
}

TEST_F(ResourceRegistryTest, DeletionMayBeToldBeforeItsWriterKnows) {
  registry_.SetCustom(kName, 5, Buoys("v1"));
  {
    ResourceRegistry::Withdrawal withdrawal(&registry_, kName);
    registry_.RemoveCustom(kName, 6);
    registry_.SetCustom(kName, 7, Buoys("v2"));  // Made anew by another server.
    withdrawal.Confirm(6);
  }
  EXPECT_EQ(Served(), "v2");
}

TEST_F(ResourceRegistryTest, DefinitionThatWasNeverHeardOfIsWithdrawnToo) {
  {
    ResourceRegistry::Withdrawal withdrawal(&registry_, kName);
    withdrawal.Confirm(7);
  }
  registry_.SetCustom(kName, 5, Buoys("v1"));
  EXPECT_EQ(Served(), "");
  registry_.RemoveCustom(kName, 7);
  EXPECT_EQ(Served(), "");
}

}  // namespace
}  // namespace skerry::kubeapi
