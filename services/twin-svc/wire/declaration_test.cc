#include "services/twin-svc/wire/declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/time/time.h"
#include "services/lib/device/device_spec.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

// The sample as the API server has it; with nothing desired where `value` is empty.
Declaration Sample(int64_t generation, const char* value, absl::Time now = kNow) {
  nlohmann::json device = SampleDevice();
  device["metadata"]["uid"] = "u7";
  device["metadata"]["generation"] = generation;
  device["spec"]["properties"][0]["desired"]["value"] = value;
  return DeclarationOf(*device::ParseDevice(device), now);
}

TEST(DeclarationOfTest, HasEveryPropertyAndWhatIsDesiredOfIt) {
  const Declaration declaration = Sample(3, "60");
  EXPECT_EQ(declaration.uid, "u7");
  EXPECT_EQ(declaration.generation, 3);
  const Value desired = {.value = "60",
                         .metadata = {{"timestamp", "1700000000000"}, {"type", "float"}},
                         .writer = "cloud",
                         .time = kNow};
  EXPECT_THAT(declaration.properties,
              ElementsAre(Pair("temperature", Declared{desired}), Pair("valve", Declared{})));
}

TEST(DeclarationOfTest, DesiresNothingWhereTheValueIsEmpty) {
  EXPECT_EQ(Sample(3, "").properties.at("temperature"), Declared{});
}

TEST(DeclarationOfTest, HasNoPropertiesWhereTheDeviceHasNone) {
  nlohmann::json device = SampleDevice();
  device["spec"].erase("properties");
  EXPECT_THAT(DeclarationOf(*device::ParseDevice(device), kNow).properties, IsEmpty());
}

TEST(DeclarationOfTest, IsNoChangeWhereOnlyTheTimeIsAnother) {
  Twin twin;
  EXPECT_THAT(Declare(twin, Sample(3, "60")),
              ElementsAre(Change{Change::Kind::kDesired, "temperature"}));
  EXPECT_THAT(Declare(twin, Sample(4, "60", kNow + absl::Hours(1))), IsEmpty());
  EXPECT_THAT(Declare(twin, Sample(5, "", kNow + absl::Hours(2))),
              ElementsAre(Change{Change::Kind::kDesired, "temperature"}));
}

}  // namespace
}  // namespace skerry::twin
