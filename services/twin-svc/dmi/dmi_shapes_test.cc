// Objects of every wrong shape: nothing throws, and each answer is a message or a clear error.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/dmi/dmi_device.h"
#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {
namespace {

using nlohmann::json;
using testing::HasReason;
using testing::StatusIs;

// Paths of every value of a document, that of the document included.
void Paths(const json& value, const json::json_pointer& at, std::vector<json::json_pointer>& out) {
  out.push_back(at);
  if (!value.is_structured()) return;
  for (const auto& [key, child] : value.items()) {
    Paths(child, value.is_array() ? at / std::stoul(key) : at / key, out);
  }
}

// Every value of both documents becomes every kind of value in turn.
TEST(DmiShapesTest, AnswersAnyShape) {
  const std::vector<json> kinds = {nullptr,
                                   true,
                                   -1,
                                   18446744073709551615u,
                                   1.5,
                                   1e300,
                                   "",
                                   "text",
                                   json::array(),
                                   json::array({nullptr}),
                                   json::array({json::array()}),
                                   json::object(),
                                   {{"name", 3}},
                                   {{"", nullptr}},
                                   json::binary({1, 2}),
                                   json(json::value_t::discarded)};
  const auto check = [](const auto& out) {
    if (out.ok()) return;
    EXPECT_THAT(out, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(out, HasReason("DEVICE_INVALID"));
    EXPECT_NE(GetErrorInfo(out.status()).metadata["field"], "");
  };
  std::vector<json::json_pointer> paths;
  Paths(SampleDevice(), json::json_pointer(), paths);
  EXPECT_GT(paths.size(), 40u);
  for (const json::json_pointer& path : paths) {
    for (const json& kind : kinds) {
      json device = SampleDevice();
      device[path] = kind;
      EXPECT_NO_THROW(check(ToDmi(device, SampleModel()))) << path.to_string();
    }
  }
  paths.clear();
  Paths(SampleModel(), json::json_pointer(), paths);
  for (const json::json_pointer& path : paths) {
    for (const json& kind : kinds) {
      json model = SampleModel();
      model[path] = kind;
      EXPECT_NO_THROW(check(ToDmi(SampleDevice(), model))) << path.to_string();
      EXPECT_NO_THROW(check(ModelToDmi(model))) << path.to_string();
    }
  }
}

}  // namespace
}  // namespace skerry::twin
