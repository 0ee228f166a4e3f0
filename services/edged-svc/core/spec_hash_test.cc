#include "services/edged-svc/core/spec_hash.h"

#include <gtest/gtest.h>

namespace skerry::edged {
namespace {

ContainerSpec Container(const std::string& name, const std::string& image) {
  ContainerSpec c;
  c.name = name;
  c.image = image;
  return c;
}

// Stored with containers that run: a change here restarts every container of a fleet.
TEST(SpecHashTest, NeverChanges) {
  EXPECT_EQ(SpecHash(Container("main", "skerry.local/busybox:1")), "c94a199225d06ca9");
}

TEST(SpecHashTest, OnlyNameAndImageCount) {
  const ContainerSpec plain = Container("main", "a:1");
  ContainerSpec other = plain;
  other.env.push_back({.name = "A", .value = "b"});
  other.args = {"x"};
  other.termination_message_path = "/elsewhere";
  EXPECT_EQ(SpecHash(plain), SpecHash(other));
  EXPECT_NE(SpecHash(plain), SpecHash(Container("main", "a:2")));
  EXPECT_NE(SpecHash(plain), SpecHash(Container("main2", "a:1")));
  EXPECT_NE(SpecHash(Container("ab", "c")), SpecHash(Container("a", "bc")));
}

}  // namespace
}  // namespace skerry::edged
