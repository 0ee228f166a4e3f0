// What a service pays for calls that it does not make.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "services/lib/http/caller.h"

namespace skerry::http {
namespace {

bool LibcurlIsMapped() {
  std::ostringstream maps;
  maps << std::ifstream("/proc/self/maps").rdbuf();
  return absl::StrContains(maps.str(), "/libcurl.so");
}

TEST(CallerMemory, LibcurlIsLoadedWithTheFirstCall) {
  CurlCaller caller({});
  EXPECT_FALSE(LibcurlIsMapped());
  Call call{.url = "http://127.0.0.1:1/", .timeout = absl::Seconds(20)};
  call.headers.emplace_back("Not a name", "x");
  EXPECT_FALSE(caller.Perform(call).ok());
  EXPECT_FALSE(LibcurlIsMapped());
  call.headers.clear();
  EXPECT_FALSE(caller.Perform(call).ok());
  EXPECT_TRUE(LibcurlIsMapped());
}

}  // namespace
}  // namespace skerry::http
