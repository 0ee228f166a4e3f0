#include "services/eventbus-svc/core/json_visit.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

using Json = nlohmann::json;

// nlohmann's parser keeps one bit a level and calls this; false ends the parse.
class Walker {
 public:
  Walker(size_t depth_max, JsonVisitor visit) : depth_max_(depth_max), visit_(visit) {}

  const absl::Status& fault() const { return fault_; }

  bool null() { return Show({.kind = JsonKind::kNull}); }
  bool boolean(bool value) { return Show({.kind = JsonKind::kBool, .boolean = value}); }
  bool number_integer(int64_t) { return Show({.kind = JsonKind::kNumber}); }
  bool number_unsigned(uint64_t) { return Show({.kind = JsonKind::kNumber}); }
  bool number_float(double, const std::string&) { return Show({.kind = JsonKind::kNumber}); }
  bool string(std::string& value) { return Show({.kind = JsonKind::kString, .text = value}); }
  bool binary(Json::binary_t&) { return true; }  // JSON text has none.

  bool start_object(size_t) {
    Show({.kind = JsonKind::kObject});
    if (lists_ == 0) path_.emplace_back();
    return Descend();
  }
  bool key(std::string& name) {
    if (lists_ == 0) path_.back() = std::move(name);
    return true;
  }
  bool end_object() {
    if (lists_ == 0) path_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(size_t) {
    Show({.kind = JsonKind::kList});
    ++lists_;
    return Descend();
  }
  bool end_array() {
    --lists_;
    --depth_;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const Json::exception&) {
    fault_ = Invalid(position);
    return false;
  }
  absl::Status Invalid(size_t position) const {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("the payload is not valid JSON at byte ", position))
        .Reason("JSON_INVALID");
  }

 private:
  bool Show(const JsonValue& value) {
    if (lists_ == 0) visit_(path_, value);
    return true;
  }
  bool Descend() {
    if (++depth_ <= depth_max_) return true;
    fault_ = Error(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("the payload's JSON is nested deeper than ", depth_max_, " levels"))
                 .Reason("JSON_TOO_DEEP");
    return false;
  }

  const size_t depth_max_;
  const JsonVisitor visit_;
  JsonPath path_;
  size_t depth_ = 0;
  size_t lists_ = 0;  // Open ones.
  absl::Status fault_;
};

}  // namespace

absl::Status VisitJson(absl::string_view text, size_t depth_max, JsonVisitor visit) {
  Walker walker(depth_max, visit);
  // nlohmann gives its faults to parse_error and throws none. It takes a NUL for the end.
  Json::sax_parse(text.begin(), text.end(), &walker);
  const size_t nul = text.find('\0');
  if (walker.fault().ok() && nul != absl::string_view::npos) return walker.Invalid(nul + 1);
  return walker.fault();
}

}  // namespace skerry::eventbus
