// A whole hub, seen through its ops port.
#include "services/cloudhub-svc/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/config.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/log/logger.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;

class CloudHubAppTest : public ::testing::Test {
 protected:
  // Starts a hub on the folder, and stops it; what it exposed meanwhile.
  std::string Run() {
    CloudHubConfig config;
    config.state_dir = dir_.path();
    config.common.ops_listen = "127.0.0.1:0";
    config.link_listen = "127.0.0.1:0";
    config.api_listen = "127.0.0.1:0";
    config.join_listen = "127.0.0.1:0";
    CloudHubApp app(config, clock_, log::Logger::Null());
    EXPECT_THAT(app.Start(), IsOk());
    const testing::CurlAnswer answer =
        testing::Fetch({.url = absl::StrCat("http://", app.addresses()["ops"], "/metrics")});
    EXPECT_EQ(answer.error, "");
    app.Stop();
    return answer.body;
  }
  static std::string Repairs(const std::string& store, int count) {
    return absl::StrCat("skerry_cloudhub_store_repairs_total{store=\"", store, "\"} ", count, "\n");
  }

  testing::TempDir dir_;
  SystemClock clock_;
};

TEST_F(CloudHubAppTest, CountsTheFilesThatItSetAside) {
  EXPECT_THAT(Run(), AllOf(HasSubstr(Repairs("commands", 0)), HasSubstr(Repairs("epoch", 0)),
                           HasSubstr(Repairs("tokens", 0))));
  for (const char* file : {"commands.db", "epoch.db", "tokens.db"})
    dir_.Write(file, std::string(5000, 'x'));
  EXPECT_THAT(Run(), AllOf(HasSubstr(Repairs("commands", 1)), HasSubstr(Repairs("epoch", 1)),
                           HasSubstr(Repairs("tokens", 1))));
}

TEST_F(CloudHubAppTest, ShowsTheSizeOfTheQueueOfCommandsAndItsBound) {
  const std::string exposed = Run();
  EXPECT_THAT(exposed, HasSubstr("skerry_cloudhub_command_store_bytes_max 1073741824\n"));
  EXPECT_THAT(exposed, ::testing::Not(HasSubstr("skerry_cloudhub_command_store_bytes 0\n")));
}

}  // namespace
}  // namespace skerry::cloudhub
