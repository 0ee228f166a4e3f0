#include "services/twin-svc/dmi/mapper_info.h"

#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::HasSubstr;

v1beta1::MapperInfo Info(const std::string& address) {
  v1beta1::MapperInfo info;
  info.set_name("modbus-mapper");
  info.set_version("v1.13.0");
  info.set_api_version("v1.0.0");
  info.set_protocol("modbus");
  info.set_address(address);
  info.set_state("ok");
  return info;
}

TEST(MapperInfoTest, TakesAPathInAnyForm) {
  const MapperRecord wanted{"modbus-mapper", "modbus", "/etc/kubeedge/modbus.sock", "v1.13.0"};
  for (const char* address : {"/etc/kubeedge/modbus.sock", "unix:/etc/kubeedge/modbus.sock",
                              "unix:///etc/kubeedge/modbus.sock"}) {
    EXPECT_EQ(RecordOf(Info(address)).value(), wanted) << address;
  }
}

TEST(MapperInfoTest, RefusesWhatIsNoPath) {
  for (const std::string& address :
       {std::string(), std::string("/"), std::string("modbus.sock"),
        std::string("unix:modbus.sock"), std::string("127.0.0.1:1000"),
        std::string("unix-abstract:x"), std::string("/run/../etc/x"), std::string("/run/a b"),
        std::string("/run/a%2e"), std::string("/run/a?b"), std::string("/run/a\0b", 8),
        std::string("/run/\xff"), "/" + std::string(107, 'x')}) {
    EXPECT_THAT(RecordOf(Info(address)).status(),
                StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("mapper.address")))
        << address;
  }
  EXPECT_TRUE(RecordOf(Info("/" + std::string(106, 'x'))).ok());
}

TEST(MapperInfoTest, RefusesWhatHasNoNameOrProtocol) {
  v1beta1::MapperInfo info = Info("/run/x.sock");
  info.clear_protocol();
  EXPECT_THAT(RecordOf(info).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  info = Info("/run/x.sock");
  info.set_name(std::string(254, 'n'));
  EXPECT_THAT(RecordOf(info).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  info.set_name("a\nb");
  EXPECT_THAT(RecordOf(info).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("a\\nb")));
}

}  // namespace
}  // namespace skerry::twin
