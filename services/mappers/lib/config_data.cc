#include "services/mappers/lib/config_data.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::mapper {
namespace {

// The double that was written, as far as a float tells: 0.1f is 0.1, not 0.10000000149.
double Widen(float value) {
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  double wide = value;
  std::from_chars(text, end.ptr, wide);
  return wide;
}

template <typename Wrapper, typename Out>
bool Unpack(const google::protobuf::Any& any, Out& out) {
  Wrapper wrapper;
  if (!any.Is<Wrapper>() || !any.UnpackTo(&wrapper)) return false;
  if constexpr (std::is_same_v<Wrapper, google::protobuf::FloatValue>) {
    out = Widen(wrapper.value());
  } else {
    out = wrapper.value();
  }
  return true;
}

// Whole and in the range of int64.
std::optional<int64_t> Whole(double value) {
  if (std::trunc(value) != value || value < -0x1p63 || value >= 0x1p63) return std::nullopt;
  return static_cast<int64_t>(value);
}

}  // namespace

absl::StatusOr<ConfigData> ConfigData::Parse(const v1beta1::CustomizedValue& data,
                                             absl::string_view path) {
  ConfigData parsed;
  parsed.path_ = std::string(path);
  for (const auto& [name, any] : data.data()) {
    std::string text;
    bool flag = false;
    int64_t whole = 0;
    double number = 0;
    Value& value = parsed.values_[name];
    if (Unpack<google::protobuf::StringValue>(any, text)) {
      value = text;
    } else if (Unpack<google::protobuf::BoolValue>(any, flag)) {
      value = flag;
    } else if (Unpack<google::protobuf::Int64Value>(any, whole) ||
               Unpack<google::protobuf::Int32Value>(any, whole)) {
      value = whole;
    } else if (Unpack<google::protobuf::FloatValue>(any, number) ||
               Unpack<google::protobuf::DoubleValue>(any, number)) {
      value = number;
    } else {
      return InvalidField(absl::StrCat(path, ".", name), any.type_url(),
                          "send StringValue, BoolValue, FloatValue, Int32Value or Int64Value");
    }
  }
  return parsed;
}

const ConfigData::Value* ConfigData::Find(absl::string_view name) const {
  const auto it = values_.find(std::string(name));
  return it == values_.end() ? nullptr : &it->second;
}

bool ConfigData::Has(absl::string_view name) const { return Find(name) != nullptr; }

absl::Status ConfigData::Wrong(absl::string_view name, const Value& value,
                               absl::string_view fix) const {
  std::string shown;
  if (const auto* text = std::get_if<std::string>(&value)) shown = *text;
  if (const auto* flag = std::get_if<bool>(&value)) shown = *flag ? "true" : "false";
  if (const auto* whole = std::get_if<int64_t>(&value)) shown = absl::StrCat(*whole);
  if (const auto* number = std::get_if<double>(&value)) shown = absl::StrCat(*number);
  return InvalidField(absl::StrCat(path_, ".", name), shown, fix);
}

absl::StatusOr<std::string> ConfigData::String(absl::string_view name,
                                               absl::string_view otherwise) const {
  const Value* value = Find(name);
  if (value == nullptr) return std::string(otherwise);
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  return Wrong(name, *value, "give text, in quotes");
}

absl::StatusOr<bool> ConfigData::Bool(absl::string_view name, bool otherwise) const {
  const Value* value = Find(name);
  if (value == nullptr) return otherwise;
  if (const auto* flag = std::get_if<bool>(value)) return *flag;
  const auto* text = std::get_if<std::string>(value);
  if (text != nullptr && (*text == "true" || *text == "false")) return *text == "true";
  return Wrong(name, *value, "give true or false");
}

absl::StatusOr<int64_t> ConfigData::Int(absl::string_view name, int64_t otherwise) const {
  const Value* value = Find(name);
  if (value == nullptr) return otherwise;
  if (const auto* whole = std::get_if<int64_t>(value)) return *whole;
  int64_t parsed = 0;
  const auto* text = std::get_if<std::string>(value);
  if (text != nullptr && absl::SimpleAtoi(*text, &parsed)) return parsed;
  const auto* number = std::get_if<double>(value);
  const std::optional<int64_t> whole = number == nullptr ? std::nullopt : Whole(*number);
  if (whole.has_value()) return *whole;
  return Wrong(name, *value, "give a whole number");
}

absl::StatusOr<double> ConfigData::Number(absl::string_view name, double otherwise) const {
  const Value* value = Find(name);
  if (value == nullptr) return otherwise;
  double number = NAN;
  if (const auto* whole = std::get_if<int64_t>(value)) number = static_cast<double>(*whole);
  if (const auto* real = std::get_if<double>(value)) number = *real;
  const auto* text = std::get_if<std::string>(value);
  if (text != nullptr && !absl::SimpleAtod(*text, &number)) number = NAN;
  if (std::isfinite(number)) return number;
  return Wrong(name, *value, "give a number");
}

}  // namespace skerry::mapper
