#include "services/lib/log/json_text.h"

#include <gtest/gtest.h>

namespace skerry::log {
namespace {

std::string Json(absl::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(AppendJsonStringTest, EscapesWhatJsonRequires) {
  EXPECT_EQ(Json(""), "\"\"");
  EXPECT_EQ(Json("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(Json("\n\r\t\b\f"), "\"\\n\\r\\t\\b\\f\"");
  EXPECT_EQ(Json(absl::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\\u007f\"");
}

TEST(AppendJsonStringTest, KeepsValidUtf8) {
  for (const char* text : {"ä", "€", "𝄞", "\xEF\xBF\xBF", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Json(text), std::string("\"") + text + "\"");
  }
}

TEST(AppendJsonStringTest, ReplacesInvalidUtf8ByteByByte) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(Json("a\xFFz"), "\"a" + r + "z\"");
  EXPECT_EQ(Json("\xC3"), "\"" + r + "\"");                          // Cut short.
  EXPECT_EQ(Json("\xC0\xAF"), "\"" + r + r + "\"");                  // Overlong '/'.
  EXPECT_EQ(Json("\xE0\x80\xAF"), "\"" + r + r + r + "\"");          // Overlong.
  EXPECT_EQ(Json("\xED\xA0\x80"), "\"" + r + r + r + "\"");          // Surrogate.
  EXPECT_EQ(Json("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");  // Above U+10FFFF.
  EXPECT_EQ(Json("\x80"), "\"" + r + "\"");
  EXPECT_EQ(Json("\xE2\x82\""), "\"" + r + r + "\\\"\"");  // The quote is still escaped.
}

}  // namespace
}  // namespace skerry::log
