// Any configData, of a device and of properties of each type, and what registers may hold then.
// Input: a CustomizedValue in protobuf's text form.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/wrappers.pb.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/device/value_rules.h"
#include "services/mappers/lib/config_data.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/modbus/core/endpoint.h"
#include "services/mappers/modbus/core/point.h"
#include "services/mappers/modbus/core/point_value.h"
#include "services/mappers/modbus/settings.h"

namespace {

using skerry::device::ValueType;
using skerry::mapper::ConfigData;
using skerry::mapper::DriverProperty;
using skerry::mapper::modbus::Decode;
using skerry::mapper::modbus::Encode;
using skerry::mapper::modbus::Point;

void Expect(bool holds) {
  if (!holds) std::abort();
}

// What is read suits the device model, and what is written fills the registers.
void ReadAndWrite(const DriverProperty& property, const Point& point,
                  const std::vector<uint16_t>& words) {
  const absl::StatusOr<std::string> text = Decode(point, words);
  if (!text.ok()) return;
  Expect(skerry::device::CheckValue(property.model, *text).ok());
  const absl::StatusOr<std::vector<uint16_t>> written = Encode(point, *text);
  if (written.ok()) Expect(written->size() == point.count);
}

void TryProperty(const ConfigData& visitor, ValueType type, const uint8_t* data, size_t size) {
  const DriverProperty property{{.name = "p", .type = type}, visitor};
  const absl::StatusOr<Point> point = skerry::mapper::modbus::PointOf(property);
  if (!point.ok()) return;
  Expect(point->count >= 1 && point->offset + point->count <= 65536);
  for (const uint16_t word : {0x0000, 0xFFFF, 0x7FFF, 0x8000, 0x7F80, 0x7FF0, 0x4142}) {
    ReadAndWrite(property, *point, std::vector<uint16_t>(point->count, word));
  }
  std::vector<uint16_t> words(point->count, 0x7F7F);
  for (size_t i = 1; i < words.size(); ++i) words[i] = 0xFFFF;
  ReadAndWrite(property, *point, words);
  for (size_t i = 0; i < words.size() && size > 1; ++i) {
    words[i] = static_cast<uint16_t>(data[2 * i % (size - 1)] << 8 | data[2 * i % (size - 1) + 1]);
  }
  ReadAndWrite(property, *point, words);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Any knows only what the program has.
  google::protobuf::StringValue::descriptor();
  const std::string text(reinterpret_cast<const char*>(data), size);
  v1beta1::CustomizedValue custom;
  google::protobuf::TextFormat::Parser parser;
  if (!parser.ParseFromString(text, &custom)) return 0;
  const absl::StatusOr<ConfigData> parsed = ConfigData::Parse(custom, "configData");
  if (!parsed.ok()) return 0;
  const auto endpoint = skerry::mapper::modbus::EndpointOf(*parsed);
  if (endpoint.ok()) {
    Expect(!KeyOf(endpoint->line).empty());
    Expect(endpoint->timeout > absl::ZeroDuration());
  }
  for (const ValueType type :
       {ValueType::kInt, ValueType::kFloat, ValueType::kDouble, ValueType::kString,
        ValueType::kBoolean, ValueType::kBytes, ValueType::kStream}) {
    TryProperty(*parsed, type, data, size);
  }
  return 0;
}
