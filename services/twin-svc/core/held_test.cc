#include "services/twin-svc/core/held.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace skerry::twin {
namespace {

using Text = Held<std::string>;

TEST(HeldTest, IsAbsentUntilItHasAValue) {
  Text text;
  EXPECT_FALSE(text.has_value());
  EXPECT_EQ(text.value_or("none"), "none");
  text = std::string("a");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, "a");
  EXPECT_EQ(text->size(), 1u);
  text.reset();
  EXPECT_FALSE(text);
}

TEST(HeldTest, CopiesShareTheValueAndNotItsReplacement) {
  Text text = std::string("a");
  const Text copy = text;
  EXPECT_EQ(&*copy, &*text);
  text = std::string("b");
  EXPECT_EQ(*copy, "a");
}

TEST(HeldTest, IsEqualWhereTheValuesAre) {
  const Text none, a = std::string("a"), other = std::string("a"), b = std::string("b");
  EXPECT_TRUE(none == Text());
  EXPECT_TRUE(a == other);
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(a == none);
  EXPECT_TRUE(none == std::optional<std::string>());
  EXPECT_TRUE(std::optional<std::string>() == none);
  EXPECT_TRUE(a == std::optional<std::string>("a"));
  EXPECT_FALSE(none == std::optional<std::string>("a"));
  EXPECT_TRUE(a == std::string("a"));
  EXPECT_FALSE(none == std::string());
  EXPECT_TRUE(none == std::nullopt);
}

TEST(HeldTest, ConvertsFromAndToOptional) {
  const Text from = std::optional<std::string>("a");
  const std::optional<std::string> to = from;
  EXPECT_EQ(to, "a");
  EXPECT_FALSE(Text(std::optional<std::string>()).has_value());
  EXPECT_FALSE(std::optional<std::string>(Text()).has_value());
}

}  // namespace
}  // namespace skerry::twin
