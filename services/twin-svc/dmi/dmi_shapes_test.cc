// Objects of every wrong shape: nothing throws, and each answer is a message or a clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/json_shapes.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/dmi/dmi_device.h"
#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {
namespace {

using nlohmann::json;
using testing::ForEachShape;
using testing::HasReason;
using testing::StatusIs;

// Every value of both documents becomes every kind of value in turn.
TEST(DmiShapesTest, AnswersAnyShape) {
  const auto check = [](const auto& out) {
    if (out.ok()) return;
    EXPECT_THAT(out, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(out, HasReason("DEVICE_INVALID"));
    EXPECT_NE(GetErrorInfo(out.status()).metadata["field"], "");
  };
  EXPECT_GT(ForEachShape(SampleDevice(),
                         [&](const json& device, const std::string& path) {
                           EXPECT_NO_THROW(check(ToDmi(device, SampleModel()))) << path;
                         }),
            40u);
  ForEachShape(SampleModel(), [&](const json& model, const std::string& path) {
    EXPECT_NO_THROW(check(ToDmi(SampleDevice(), model))) << path;
    EXPECT_NO_THROW(check(ModelToDmi(model))) << path;
  });
}

}  // namespace
}  // namespace skerry::twin
