#include "services/eventbus-svc/core/property_rules.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/eventbus-svc/core/utf8.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

constexpr char kMarks[] = "-_.,:/@#";

bool IsAllowed(char c) {
  return absl::ascii_isalnum(c) || absl::string_view(kMarks).find(c) != absl::string_view::npos;
}

// What is wrong with `text`; empty: nothing.
std::string Fault(absl::string_view text, size_t bytes_max) {
  if (text.empty()) return "is empty";
  for (size_t i = 0; i < text.size() && i < bytes_max; ++i) {
    if (IsAllowed(text[i])) continue;
    char32_t c = static_cast<unsigned char>(text[i]);
    DecodeUtf8(text.substr(i), c);
    const std::string shown = c > ' ' && c < 0x7F ? absl::StrFormat("'%c'", static_cast<char>(c))
                                                  : absl::StrFormat("U+%04X", uint32_t{c});
    return absl::StrCat("has ", shown, " at byte ", i + 1);
  }
  if (text.size() > bytes_max) return absl::StrCat("has ", text.size(), " bytes");
  return "";
}

std::string Rule(size_t bytes_max) {
  return absl::StrCat(": use 1 to ", bytes_max, " of letters A-Z a-z, digits and ", kMarks);
}

}  // namespace

std::string Shown(absl::string_view text) {
  constexpr size_t kShown = 64;
  return absl::StrCat(absl::CHexEscape(text.substr(0, kShown)), text.size() > kShown ? "..." : "");
}

absl::Status CheckPropertyName(absl::string_view name) {
  const std::string fault = Fault(name, kPropertyNameBytesMax);
  if (fault.empty()) return absl::OkStatus();
  const std::string shown = Shown(name);
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("twin property name \"", shown, "\" ", fault,
                            Rule(kPropertyNameBytesMax)))
      .Reason("PROPERTY_NAME_INVALID")
      .Meta("property", shown)
      .Meta("detail", fault);
}

absl::Status CheckPropertyValue(absl::string_view property, absl::string_view side,
                                absl::string_view value) {
  if (value.empty()) return absl::OkStatus();
  const std::string fault = Fault(value, kPropertyValueBytesMax);
  if (fault.empty()) return absl::OkStatus();
  const std::string shown = Shown(property);
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("twin property \"", shown, "\": its ", side, " value ", fault,
                            Rule(kPropertyValueBytesMax)))
      .Reason("PROPERTY_VALUE_INVALID")
      .Meta("property", shown)
      .Meta("side", side)
      .Meta("detail", fault);
}

}  // namespace skerry::eventbus
