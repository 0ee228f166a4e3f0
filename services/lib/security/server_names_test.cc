#include "services/lib/security/server_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace skerry::security {
namespace {

using ::testing::Contains;
using ::testing::IsSubsetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST(ServerNamesTest, TellsNamesFromAddresses) {
  CertificateSpec spec = {.dns_names = {"kubernetes"}};
  AddServerNames(spec, {"hub.example", "10.1.2.3", "2001:db8:0::1", "", "1.2.3"});
  EXPECT_THAT(std::vector<std::string>({"kubernetes", "localhost", "hub.example", "1.2.3"}),
              IsSubsetOf(spec.dns_names));
  EXPECT_THAT(spec.dns_names, Not(Contains("")));
  EXPECT_THAT(spec.ip_addresses,
              UnorderedElementsAre("127.0.0.1", "::1", "10.1.2.3", "2001:db8::1"));
}

TEST(ServerNamesTest, NamesEachOnce) {
  CertificateSpec spec;
  AddServerNames(spec, {"localhost", "0:0::1", "hub.example", "hub.example"});
  EXPECT_EQ(std::count(spec.dns_names.begin(), spec.dns_names.end(), "localhost"), 1);
  EXPECT_EQ(std::count(spec.dns_names.begin(), spec.dns_names.end(), "hub.example"), 1);
  EXPECT_THAT(spec.ip_addresses, UnorderedElementsAre("127.0.0.1", "::1"));
}

}  // namespace
}  // namespace skerry::security
