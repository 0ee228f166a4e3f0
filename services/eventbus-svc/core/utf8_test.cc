#include "services/eventbus-svc/core/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skerry::eventbus {
namespace {

TEST(Utf8Test, DecodesTheFirstCodePoint) {
  char32_t code_point = 0;
  EXPECT_EQ(DecodeUtf8("a\xC3", code_point), 1u);
  EXPECT_EQ(code_point, U'a');
  EXPECT_EQ(DecodeUtf8("\u00E9x", code_point), 2u);
  EXPECT_EQ(code_point, U'\u00E9');
  EXPECT_EQ(DecodeUtf8("\u20AC", code_point), 3u);
  EXPECT_EQ(code_point, U'\u20AC');
  EXPECT_EQ(DecodeUtf8("\U0010FFFF", code_point), 4u);
  EXPECT_EQ(code_point, U'\U0010FFFF');
  EXPECT_EQ(DecodeUtf8("", code_point), 0u);
}

TEST(Utf8Test, RefusesWhatIsNot) {
  const std::vector<std::string> bad = {
      "\x80",              // A continuation first.
      "\xC3",              // Cut off.
      "\xE2\x82",          // Cut off.
      "\xC3(",             // No continuation.
      "\xC0\xAF",          // Overlong '/'.
      "\xE0\x80\xAF",      // Overlong.
      "\xF0\x80\x80\xAF",  // Overlong.
      "\xED\xA0\x80",      // A surrogate.
      "\xF4\x90\x80\x80",  // Above U+10FFFF.
      "\xF8\x88\x80\x80\x80",
      "\xFF",
  };
  char32_t code_point = 0;
  for (const std::string& text : bad) {
    EXPECT_EQ(DecodeUtf8(text, code_point), 0u) << ::testing::PrintToString(text);
    EXPECT_FALSE(IsUtf8("ab" + text)) << ::testing::PrintToString(text);
  }
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8(std::string("a\0\u00E9\u20AC\U0001F600", 11)));
}

}  // namespace
}  // namespace skerry::eventbus
