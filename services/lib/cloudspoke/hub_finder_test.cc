#include "services/lib/cloudspoke/hub_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudspoke {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HubFinderTest : public ::testing::Test {
 protected:
  void Make(std::vector<std::string> addresses) {
    auto finder = HubFinder::Create(
        {.addresses = std::move(addresses), .credentials = nullptr, .server_name = ""},
        [this](const std::string& host) {
          looked_up_ = host;
          return ips_;
        },
        log::Logger::Null());
    ASSERT_THAT(finder, testing::IsOk());
    finder_ = *std::move(finder);
  }
  std::vector<std::string> Find() {
    std::vector<std::string> addresses;
    targets_ = finder_->Find();
    for (const HubTarget& target : targets_) addresses.push_back(target.address);
    return addresses;
  }

  std::string looked_up_;
  absl::StatusOr<std::vector<std::string>> ips_ = std::vector<std::string>{};
  std::unique_ptr<HubFinder> finder_;
  std::vector<HubTarget> targets_;
};

TEST_F(HubFinderTest, AListIsWhatItSays) {
  Make({"localhost:1", "127.0.0.1:2"});
  EXPECT_THAT(Find(), ElementsAre("localhost:1", "127.0.0.1:2"));
  EXPECT_EQ(looked_up_, "");
}

TEST_F(HubFinderTest, ANameIsAllItsAddressesAgainAndAgain) {
  Make({"dns:///hubs.skerry:10005"});
  EXPECT_THAT(Find(), IsEmpty()) << "none is ready yet";
  EXPECT_EQ(looked_up_, "hubs.skerry");
  ips_ = std::vector<std::string>{"127.0.0.1", "::1"};
  EXPECT_THAT(Find(), ElementsAre("127.0.0.1:10005", "[::1]:10005"));
  const std::shared_ptr<grpc::Channel> kept = targets_[1].channel;
  ips_ = std::vector<std::string>{"127.0.0.3", "::1"};
  EXPECT_THAT(Find(), ElementsAre("127.0.0.3:10005", "[::1]:10005"));
  EXPECT_EQ(targets_[1].channel, kept);
}

TEST_F(HubFinderTest, ANameThatCantBeLookedUpKeepsItsHubs) {
  Make({"dns:///hubs:1"});
  ips_ = std::vector<std::string>{"127.0.0.1"};
  EXPECT_THAT(Find(), ElementsAre("127.0.0.1:1"));
  ips_ = absl::UnavailableError("no answer");
  EXPECT_THAT(Find(), ElementsAre("127.0.0.1:1"));
  ips_ = std::vector<std::string>(257, "127.0.0.2");
  EXPECT_THAT(Find(), ElementsAre("127.0.0.1:1")) << "a name of something else";
}

TEST_F(HubFinderTest, SaysWhatIsNoAddress) {
  for (const char* bad : {"dns:///hubs", "dns:///:1", "dns:///hubs:", "hub.example:1"}) {
    EXPECT_THAT(HubFinder::Create({.addresses = {bad}, .credentials = nullptr, .server_name = ""},
                                  nullptr, log::Logger::Null()),
                testing::StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
  }
}

TEST(SystemLookupTest, KnowsLocalhost) {
  EXPECT_THAT(*HubFinder::SystemLookup("localhost"), Contains("127.0.0.1"));
}

}  // namespace
}  // namespace skerry::cloudspoke
