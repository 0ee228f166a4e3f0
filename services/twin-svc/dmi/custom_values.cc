#include "services/twin-svc/dmi/custom_values.h"

#include <google/protobuf/wrappers.pb.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace skerry::twin {
namespace {

using google::protobuf::Any;

constexpr double kInt64End = 0x1p63;  // The first double beyond int64.

template <typename Wrapper, typename Value>
void Pack(const Value& value, Any& out) {
  Wrapper wrapper;
  wrapper.set_value(value);
  out.PackFrom(wrapper);
}

void PackFloat(float value, Any& out) { Pack<google::protobuf::FloatValue>(value, out); }
void PackInt64(int64_t value, Any& out) { Pack<google::protobuf::Int64Value>(value, out); }

void PackInteger(int64_t value, Any& out) {
  const float rounded = static_cast<float>(value);
  // Rounding INT64_MAX gives 2^63, which must not be cast back.
  if (rounded < kInt64End && static_cast<int64_t>(rounded) == value) return PackFloat(rounded, out);
  PackInt64(value, out);
}

// False where no float32 is near. Also for NaN, which JSON does not have.
bool PackReal(double value, Any& out) {
  if (!(std::abs(value) <= std::numeric_limits<float>::max())) return false;
  const float rounded = static_cast<float>(value);
  const bool exact = static_cast<double>(rounded) == value;
  if (!exact && std::trunc(value) == value && std::abs(value) < kInt64End) {
    PackInt64(static_cast<int64_t>(value), out);
  } else {
    PackFloat(rounded, out);
  }
  return true;
}

}  // namespace

void AddMissingValues(const JsonReader& json, CustomValues& out) {
  json.EachMember([&](const std::string& key, const nlohmann::json& value) {
    if (out.count(key) != 0) return;
    Any any;
    switch (value.type()) {
      case nlohmann::json::value_t::string:
        Pack<google::protobuf::StringValue>(value.get_ref<const std::string&>(), any);
        break;
      case nlohmann::json::value_t::boolean:
        Pack<google::protobuf::BoolValue>(value.get<bool>(), any);
        break;
      case nlohmann::json::value_t::number_integer:
        PackInteger(value.get<int64_t>(), any);
        break;
      case nlohmann::json::value_t::number_unsigned:
        if (value.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()}) {
          PackInteger(value.get<int64_t>(), any);
        } else {
          PackFloat(static_cast<float>(value.get<uint64_t>()), any);
        }
        break;
      case nlohmann::json::value_t::number_float:
        if (PackReal(value.get<double>(), any)) break;
        return json.Refuse(key,
                           " beyond the range of float32, the widest that mappers read (3.4e38): "
                           "write it as a string");
      default:
        return json.Refuse(key,
                           ", mappers read only strings, numbers, true and false: leave the key "
                           "out, write its parts as keys of their own, or write it as a string");
    }
    out[key] = std::move(any);
  });
}

}  // namespace skerry::twin
