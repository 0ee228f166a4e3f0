// The box's services call over HTTP with what is linked anyway
// (docs/adr/0056-http-without-libcurl.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace skerry {
namespace {

TEST(SkerryEdge, NeverLoadsLibcurl) {
  std::ifstream binary("services/skerry-edge/skerry-edge", std::ios::binary);
  ASSERT_TRUE(binary);
  constexpr char kName[] = "libcurl.so";
  std::string piece(1u << 20, '\0');
  std::string before;  // The end of the last piece: the name may be in two.
  while (binary.read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
         binary.gcount() > 0) {
    const std::string text = before + piece.substr(0, static_cast<size_t>(binary.gcount()));
    ASSERT_EQ(text.find(kName), std::string::npos);
    before = text.substr(text.size() - std::min(text.size(), sizeof kName));
  }
}

}  // namespace
}  // namespace skerry
